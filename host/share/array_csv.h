/* array_csv.h - arrays as text that reads back exactly: a line for each row.
 *
 * A number has the least of 15, 16 and 17 digits that gives it back; a missing one
 * is nan.  A name that has a comma, a quote or a line's end is quoted.
 *
 * Layer host/share.
 */
#ifndef TW_ARRAY_CSV_H
#define TW_ARRAY_CSV_H

#include "share/array.h"

enum { TW_NUMBER_TEXT = 32 };

struct tw_csv_column {
    const char *name;              /* NULL in each of them: no line of names */
    size_t name_bytes;
    const struct tw_array *array;  /* all have the same length */
};

/* Writes the text of x, and a 0 byte; returns its length.
 * Thread: any.  Blocks: never. */
size_t tw_number_text(double x, char out[static TW_NUMBER_TEXT]);

/* Gives the text to put, piece by piece, until put says false; put may leave by
 * longjmp.
 * Thread: any.  Blocks: while it writes, some 0.5 to 1 us for each number. */
void tw_array_csv(const struct tw_csv_column *column, unsigned columns,
                  bool (*put)(void *ctx, const char *text, size_t n), void *ctx);

/* To that file, in place of what it had.  Negative: what the system said; what was
 * written until then stays.  Thread: any.  Blocks: as above. */
int tw_array_csv_write(const struct tw_csv_column *column, unsigned columns,
                       const char *path, struct tw_error *error);

#endif
