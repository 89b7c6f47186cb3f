/* argument.c - the last argument of an entry, for Alt-. to put into the next one.
 *
 * Layer lua/main.
 */
#include "main/argument.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of names that fields may lead to. */
static size_t name_size(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_.");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == ';';
}

static size_t behind_string(const char *text, size_t i)
{
    char quote = text[i];

    for (i++; text[i] && text[i] != quote; i++)
        if (text[i] == '\\' && text[i + 1]) i++;
    return i;
}

const char *ltw_argument(const char *text, size_t *n)
{
    size_t end = strlen(text), word = 0, argument = 0;   /* where they begin */
    int depth = 0;

    while (end > 0 && is_blank(text[end - 1])) end--;
    for (size_t i = 0; i < end; i++) {
        char c = text[i];

        if (c == '\'' || c == '"') {
            i = behind_string(text, i);
        } else if (strchr("([{", c)) {
            bool is_call = c == '(' && i > word && name_size(text + word) == i - word;

            if (depth++ == 0) argument = is_call ? i + 1 : 0;
        } else if (strchr(")]}", c)) {
            if (depth > 0) depth--;
            if (depth == 0 && i < end - 1) argument = 0;
        } else if (c == ',' && depth == 1 && argument > 0) {
            argument = i + 1;
        } else if (is_blank(c) && depth == 0) {
            word = i + 1;
        }
    }
    if (argument > 0 && text[end - 1] == ')' && text[argument] != ')') {
        word = argument;
        end--;
    }
    while (word < end && is_blank(text[word])) word++;
    *n = end - word;
    return text + word;
}
