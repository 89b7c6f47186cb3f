/* fix_scan.h - a loop over FIX messages in plain C: the least that reading one takes.
 *
 * It finds each field, and checks the sum; tags and lengths of values are added up.
 */
#ifndef FIX_SCAN_H
#define FIX_SCAN_H

#include <stddef.h>
#include <stdint.h>

static volatile uint64_t sink;     /* so that nothing measured is left out */

/* How many messages there are; 0: one has a wrong sum. */
static size_t scan(const char *p, const char *end)
{
    size_t messages = 0;
    uint64_t found = 0;

    while (p < end) {
        const char *body = p + 12, *stop;
        size_t length = 0;
        unsigned sum = 0;

        for (; *body != 1; body++) length = length * 10 + (size_t)(*body - '0');
        stop = ++body + length;
        for (const char *c = p; c < stop; c++) sum += (unsigned char)*c;
        if ((sum & 255) != (unsigned)((stop[3] - '0') * 100 + (stop[4] - '0') * 10 +
                                      stop[5] - '0'))
            return 0;
        while (body < stop) {
            uint32_t tag = 0;
            const char *value;

            for (; *body != '='; body++) tag = tag * 10 + (uint32_t)(*body - '0');
            for (value = ++body; *body != 1; body++) {}
            found += tag + (uint64_t)(body++ - value);
        }
        messages++;
        p = stop + 7;
    }
    sink += found;
    return messages;
}

#endif
