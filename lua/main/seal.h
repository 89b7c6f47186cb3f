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
void ltw_sha256(const void *bytes, size_t n, unsigned char digest[LTW_DIGEST]);

/* Checks the running program against its seal and opens the payload: 1; 0 when it
 * carries none; or a failure.  Blocks: while the file is read. */
int ltw_seal_check(struct tw_error *error);

#endif
