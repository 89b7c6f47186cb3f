/* seal.h - a program that says of its own file what it must be.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_SEAL_H
#define LTW_SEAL_H

#include "payload.h"

/* A file that is mapped to be read. */
struct ltw_image { const unsigned char *bytes; size_t n; };

/* NULL: opens the running program's own file.  Memory: until ltw_image_close. */
int ltw_image_open(const char *path, struct ltw_image *image, struct tw_error *error);
void ltw_image_close(struct ltw_image *image);

/* What of an ELF file is a program: all that is loaded, without debug information. */
struct ltw_program_part {
    size_t n;          /* bytes from the file's begin on         */
    size_t seal;       /* where its seal stands                  */
    bool is_static;    /* it needs no shared library, not even libc's */
};

int ltw_program_part(const struct ltw_image *image, struct ltw_program_part *part,
                     struct tw_error *error);

/* The SHA-256 of a file with 0 for the digest of the seal there. */
void ltw_seal_digest(const struct ltw_image *image, size_t seal,
                     unsigned char digest[LTW_DIGEST]);

/* Checks the running program against its seal, and holds its file for the payload; where
 * it carries none, it does nothing.  It does not return from a program that is damaged:
 * no code of such a program is to be trusted with what comes next.  program: as it was
 * called, for the message.  Blocks: while the file is read; from here on the process has
 * a limit of CPU time. */
void ltw_seal_check(const char *program);

/* It is sound: the limit goes. */
void ltw_seal_trust(void);

/* Says why, and ends the process with status 1. */
_Noreturn void ltw_seal_refuse(const char *program, const char *why);

#endif
