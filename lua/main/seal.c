/* seal.c - a program that says of its own file what it must be.
 *
 * Why: SHA-256 is libcrypto's, which uses what the processor has for it: 1.4 MB take
 * less than a millisecond, ten times less than in portable C.  Its low-level functions
 * are called: the newer interface would bring all of its algorithms into the program.
 *
 * A seal finds damage.  It does not keep out who can build a program anew.
 *
 * Layer lua/main.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "seal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/sha.h>

static const char owner[] = "tidewire";   /* of the note that is the seal */
enum { SEAL_NOTE = 1 };

/* Without /proc, in a chroot say, by the name that it was started by. */
static int open_self(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);

    return fd < 0 && errno == ENOENT && name ? open(name, O_RDONLY | O_CLOEXEC) : fd;
}

int ltw_image_open(const char *path, struct ltw_image *image, struct tw_error *error)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : open_self();
    const char *name = path ? path : "the program's own file";
    struct stat st;
    void *p = MAP_FAILED;

    *image = (struct ltw_image){ 0 };
    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (!S_ISREG(st.st_mode)) errno = EINVAL;
        else p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (p == MAP_FAILED) {
        int code = -errno;

        if (fd >= 0) close(fd);
        return tw_fail(error, code, "cannot read %.300s: %s", name, tw_strerror(code));
    }
    close(fd);
    *image = (struct ltw_image){ p, (size_t)st.st_size };
    return TW_OK;
}

void ltw_image_close(struct ltw_image *image)
{
    if (image->bytes) munmap((void *)image->bytes, image->n);
    *image = (struct ltw_image){ 0 };
}

static bool is_within(const struct ltw_image *image, uint64_t at, uint64_t n)
{
    return at <= image->n && n <= image->n - at;
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* Where the seal is among those notes, or 0. */
static size_t find_seal(const struct ltw_image *image, size_t at, size_t n)
{
    size_t end = at + n;
    Elf64_Nhdr note;

    for (; end - at >= sizeof note; at += padded(note.n_namesz) + padded(note.n_descsz)) {
        memcpy(&note, image->bytes + at, sizeof note);
        at += sizeof note;
        if (padded(note.n_namesz) > end - at
            || padded(note.n_descsz) > end - at - padded(note.n_namesz))
            return 0;
        if (note.n_type == SEAL_NOTE && note.n_namesz == sizeof owner
            && note.n_descsz == sizeof(struct ltw_seal)
            && memcmp(image->bytes + at, owner, sizeof owner) == 0)
            return at + padded(note.n_namesz);
    }
    return 0;
}

int ltw_program_part(const struct ltw_image *image, struct ltw_program_part *part,
                     struct tw_error *error)
{
    Elf64_Ehdr elf;
    Elf64_Phdr segment;

    *part = (struct ltw_program_part){ .is_static = true };
    if (image->n < sizeof elf) goto fail;
    memcpy(&elf, image->bytes, sizeof elf);
    if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64
        || elf.e_phentsize != sizeof segment
        || !is_within(image, elf.e_phoff, elf.e_phnum * sizeof segment))
        goto fail;
    for (size_t i = 0; i < elf.e_phnum; i++) {
        memcpy(&segment, image->bytes + elf.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_filesz == 0) continue;
        if (!is_within(image, segment.p_offset, segment.p_filesz)) goto fail;
        if (segment.p_offset + segment.p_filesz > part->n)
            part->n = (size_t)(segment.p_offset + segment.p_filesz);
        if (segment.p_type == PT_INTERP) part->is_static = false;
        if (segment.p_type == PT_NOTE && segment.p_align <= 4 && !part->seal)
            part->seal = find_seal(image, (size_t)segment.p_offset,
                                   (size_t)segment.p_filesz);
    }
    if (part->seal) return TW_OK;
fail:
    return tw_fail(error, TW_EFORMAT, "it is no program of tidewire's");
}

void ltw_seal_digest(const struct ltw_image *image, size_t seal,
                     unsigned char digest[LTW_DIGEST])
{
    static const unsigned char zeros[LTW_DIGEST];
    size_t at = seal + offsetof(struct ltw_seal, digest);
    SHA256_CTX sha;

    SHA256_Init(&sha);
    SHA256_Update(&sha, image->bytes, at);
    SHA256_Update(&sha, zeros, sizeof zeros);
    at += sizeof zeros;
    SHA256_Update(&sha, image->bytes + at, image->n - at);
    SHA256_Final(digest, &sha);
}

/* In bytes; ltw_payload_is_sound compares in words.  Not by memcmp: in the static program
 * one wrong byte in it would answer both. */
static unsigned difference(const unsigned char a[LTW_DIGEST],
                           const unsigned char b[LTW_DIGEST])
{
    unsigned bits = 0;

    for (int i = 0; i < LTW_DIGEST; i++) bits |= a[i] ^ b[i];
    return bits;
}

/* A wrong byte can make a loop endless: the kernel ends what computes for longer than it
 * takes to read so much, on any machine; 0: for as long as it likes. */
static void bound(uint64_t bytes)
{
    struct itimerval timer = { .it_value.tv_sec = bytes ? 1 + (time_t)(bytes >> 25) : 0 };

    setitimer(ITIMER_PROF, &timer, NULL);
}

void ltw_seal_trust(void)
{
    bound(0);
}

void ltw_seal_refuse(const char *program, const char *why)
{
    struct iovec line[] = {
        { (char *)"tidewire: ", 10 }, { (char *)program, strlen(program) },
        { (char *)": ", 2 }, { (char *)why, strlen(why) }, { (char *)"\n", 1 },
    };
    int status = EXIT_FAILURE;

    if (writev(STDERR_FILENO, line, sizeof line / sizeof *line) < 0) _exit(EXIT_FAILURE);
    /* What the compiler does not know it can't leave out: one wrong byte in these lines
     * does not make it 0. */
    __asm__("" : "+r"(status));
    status |= EXIT_FAILURE;
    __asm__("" : "+r"(status));
    if (status == 0) __builtin_trap();
    _exit(status);
    __builtin_trap();
}

static int check(const struct ltw_seal *seal, struct ltw_image *image,
                 struct tw_error *error)
{
    struct ltw_program_part part;
    unsigned char digest[LTW_DIGEST];
    int rc = ltw_image_open(NULL, image, error);

    if (rc < 0) return rc;
    if (image->n < seal->program || image->n - seal->program != seal->payload)
        return tw_fail(error, TW_EFORMAT, "it is damaged: %zu bytes instead of %llu and"
                       " the %llu of the files inside", image->n,
                       (unsigned long long)seal->program,
                       (unsigned long long)seal->payload);
    rc = ltw_program_part(image, &part, error);
    if (rc < 0) return rc;
    ltw_seal_digest(image, part.seal, digest);
    if (difference(digest, seal->digest) != 0)
        return tw_fail(error, TW_EFORMAT, "it is damaged: its SHA-256 is not the one that"
                       " it was built with");
    ltw_payload_hold(image->bytes, image->n, digest);
    return TW_OK;
}

void ltw_seal_check(const char *program)
{
    struct ltw_image image;
    struct tw_error error;
    struct ltw_seal seal;

    ltw_seal_read(&seal);
    bound(sizeof seal + seal.program + seal.payload);
    if ((seal.program || seal.payload || !ltw_payload_is_sound())
        && check(&seal, &image, &error) < 0)
        ltw_seal_refuse(program, error.text);
}
