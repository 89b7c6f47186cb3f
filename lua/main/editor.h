/* editor.h - lines typed at a terminal: keys, history, completion, colours.
 *
 * An entry may have several lines.  What the caller waits for is one descriptor, so
 * that an event loop of its own can go on while somebody types:
 *
 *     ltw_editor_begin(e, "> ", ">> ");
 *     do poll(ltw_editor_fd(e)); while ((what = ltw_editor_step(e)) == LTW_EDITOR_MORE);
 *     ltw_editor_text(e, &n);
 *
 * Between begin and the step that says more than MORE the terminal is the editor's:
 * what is to be shown meanwhile goes through ltw_editor_print.
 *
 * Layer lua/main.  Thread: one, but for ltw_editor_print.
 */
#ifndef LTW_EDITOR_H
#define LTW_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

struct ltw_editor;

/* How a byte of the entry is shown. */
enum ltw_style {
    LTW_PLAIN, LTW_KEYWORD, LTW_STRING, LTW_NUMBER, LTW_COMMENT, LTW_NAME, LTW_STYLES
};

struct ltw_editor_options {
    const char *history;   /* file that keeps the entries, or NULL */
    /* Enter was pressed: is this a whole entry?  Else it goes on in a new line.  NULL:
     * always. */
    bool (*is_complete)(void *ctx, const char *text, size_t n);
    /* Calls ltw_editor_offer with each text that may stand between *from, which it
     * sets, and the cursor.  NULL: Tab is a space. */
    void (*complete)(void *ctx, struct ltw_editor *e, const char *text, size_t cursor,
                     size_t *from);
    /* Sets style[i] of each byte; they are LTW_PLAIN.  NULL: no colours. */
    void (*paint)(void *ctx, const char *text, size_t n, unsigned char *style);
    /* In the signal handler of Ctrl-C, while somebody types: something else may be
     * running on this thread.  NULL: nothing to do. */
    void (*interrupt)(void *ctx);
    void *ctx;             /* of all */
};

enum ltw_editor_event {
    LTW_EDITOR_MORE,         /* nothing that the caller need know             */
    LTW_EDITOR_ENTRY,        /* an entry: ltw_editor_text                     */
    LTW_EDITOR_INTERRUPTED,  /* Ctrl-C: the entry is gone                     */
    LTW_EDITOR_END           /* Ctrl-D in an empty entry, or a terminal that is gone */
};

/* Can lines be edited here?  Standard input and output are a terminal that can move
 * its cursor (TERM is not "dumb" and not empty). */
bool ltw_editor_possible(void);

/* Are colours wanted?  NO_COLOR is not set. */
bool ltw_editor_colours(void);

/* The file of the history: $TIDEWIRE_HISTORY (empty: none), else .tidewire_history in
 * $HOME.  False: none.  Memory: path. */
bool ltw_editor_history_path(char *path, size_t size);

/* options are copied, the strings too.  NULL: no memory, or no descriptor.  One editor
 * at a time. */
struct ltw_editor *ltw_editor_open(const struct ltw_editor_options *options);

/* Gives the terminal back first.  e may be NULL. */
void ltw_editor_close(struct ltw_editor *e);

/* Can be read when there is something for ltw_editor_step.  The same until close. */
int ltw_editor_fd(const struct ltw_editor *e);

/* Takes the terminal and shows an empty entry behind the prompt; `more` stands before
 * the lines after the first. */
void ltw_editor_begin(struct ltw_editor *e, const char *prompt, const char *more);

/* Handles what was typed.  Anything but MORE has given the terminal back, with the
 * cursor below the entry.  Blocks: no. */
enum ltw_editor_event ltw_editor_step(struct ltw_editor *e);

/* Gives the terminal back, whatever was typed is dropped. */
void ltw_editor_end(struct ltw_editor *e);

/* The entry, with a zero behind its n bytes; until the next begin. */
const char *ltw_editor_text(const struct ltw_editor *e, size_t *n);

/* For complete: one candidate.  Copied. */
void ltw_editor_offer(struct ltw_editor *e, const char *text, size_t n);

/* Writes text above the entry, or plainly when nobody types; a line end is added where
 * it has none.  Thread: any.  Blocks: while the terminal does. */
void ltw_editor_print(struct ltw_editor *e, const char *text, size_t n);

#endif
