/* payload.c - the files that a built program carries, behind its own end.
 *
 * Why: a built app is one file: the program, and a zip archive that any unzip lists.
 * The program knows from its seal how long the file is and which SHA-256 it has.  The
 * seal is a note of the program (ELF's PT_NOTE), not a footer: what is cut off at the
 * end, or stripped, leaves a program that knows what it lacks, instead of a plain
 * interpreter.
 *
 *     | ELF, without section headers ... note: seal ... | zip: files; comment: app |
 *     0                                           program              program + payload
 *
 * Invariants
 *   P1  No Lua state is made in a program whose bytes do not have the digest of its
 *       seal.  It is asked at three places, two of main and in ltw_state_new, in two
 *       forms, so that no single wrong byte can leave the question out.
 *
 * Layer lua.
 */
#include "payload.h"

#include <string.h>
#include <uv.h>

#include <minizip/ioapi.h>
#include <minizip/unzip.h>

#include "base/memory.h"

enum { NAME_MAX_BYTES = 1024, FILES_MAX = 65535, FILE_MAX_BYTES = 1 << 30 };

__asm__(".pushsection .note.tidewire, \"a\", %note\n"
        ".balign 4\n"
        ".long 9, 48, 1\n"
        ".asciz \"tidewire\"\n"
        ".balign 4\n"
        ".global ltw_seal_note\n"
        ".hidden ltw_seal_note\n"
        "ltw_seal_note: .zero 48\n"
        ".popsection\n");
_Static_assert(sizeof(struct ltw_seal) == 48, "the note has room for a seal");

/* The one of the process: constant once it was opened. */
static struct {
    const unsigned char *file;
    size_t n;
    unsigned char digest[LTW_DIGEST];
    char app[NAME_MAX_BYTES];
    struct entry { char *name; unz64_file_pos at; } *entries;
    size_t n_entries;
} payload;

bool ltw_payload_is_sound(void)
{
    uint64_t is[LTW_DIGEST / 8], must[LTW_DIGEST / 8], bits = 0;
    struct ltw_seal seal;

    ltw_seal_read(&seal);
    memcpy(is, payload.digest, sizeof is);
    memcpy(must, seal.digest, sizeof must);
    for (int i = 0; i < LTW_DIGEST / 8; i++) bits |= is[i] ^ must[i];
    return bits == 0;   /* P1 */
}

static voidpf ZCALLBACK open_file(voidpf opaque, const void *name, int mode)
{
    (void)opaque, (void)name, (void)mode;
    return fmemopen((void *)payload.file, payload.n, "r");
}

static unzFile open_zip(void)
{
    zlib_filefunc64_def f;

    fill_fopen64_filefunc(&f);
    f.zopen64_file = open_file;
    return unzOpen2_64("payload", &f);
}

static int damaged(struct tw_error *error, const char *what)
{
    return tw_fail(error, TW_EFORMAT, "the files inside the program: %s", what);
}

/* What --extract would write elsewhere than where it was told to. */
static bool leads_out(const char *name)
{
    if (*name == '\0' || *name == '/') return true;
    while (name && strncmp(name, "../", 3) != 0 && strcmp(name, "..") != 0)
        if ((name = strchr(name, '/'))) name++;
    return name != NULL;
}

static int read_names(unzFile zip, struct tw_error *error)
{
    unz_global_info64 info = { 0 };
    int r = unzGetGlobalInfo64(zip, &info);

    if (r != UNZ_OK || info.number_entry == 0 || info.number_entry > FILES_MAX)
        return damaged(error, "their directory can't be read");
    payload.entries = tw_calloc((size_t)info.number_entry, sizeof *payload.entries);
    if (!payload.entries) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (r = unzGoToFirstFile(zip); r == UNZ_OK; r = unzGoToNextFile(zip)) {
        struct entry *e = &payload.entries[payload.n_entries];
        char name[NAME_MAX_BYTES] = "";

        r = unzGetCurrentFileInfo64(zip, NULL, name, sizeof name - 1, NULL, 0, NULL, 0);
        if (r != UNZ_OK || payload.n_entries == info.number_entry || leads_out(name)
            || unzGetFilePos64(zip, &e->at) != UNZ_OK)
            return damaged(error, "their list is damaged");
        e->name = tw_calloc(1, strlen(name) + 1);
        if (!e->name) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        strcpy(e->name, name);
        payload.n_entries++;
    }
    return r == UNZ_END_OF_LIST_OF_FILE ? TW_OK : damaged(error, "their list is damaged");
}

void ltw_payload_hold(const unsigned char *file, size_t n,
                      const unsigned char digest[LTW_DIGEST])
{
    payload.file = file;
    payload.n = n;
    memcpy(payload.digest, digest, LTW_DIGEST);
}

int ltw_payload_open(struct tw_error *error)
{
    unzFile zip;
    int rc;

    if (!payload.file) return 0;
    zip = open_zip();
    if (!zip) return damaged(error, "they are no zip archive");
    rc = unzGetGlobalComment(zip, payload.app, sizeof payload.app - 1);
    rc = rc > 0 ? read_names(zip, error) : damaged(error, "none is the app");
    unzClose(zip);
    return rc < 0 ? rc : 1;
}

const char *ltw_payload_app(void)
{
    return payload.file ? payload.app : NULL;
}

const char *ltw_payload_name(size_t i)
{
    return i < payload.n_entries ? payload.entries[i].name : NULL;
}

static struct entry *find(const char *name)
{
    for (size_t i = 0; i < payload.n_entries; i++)
        if (strcmp(name, payload.entries[i].name) == 0) return &payload.entries[i];
    return NULL;
}

/* Of the current entry, whose size the archive says. */
static int read_entry(unzFile zip, char *text, size_t n)
{
    for (size_t at = 0; at < n;) {
        unsigned want = n - at < 1 << 20 ? (unsigned)(n - at) : 1 << 20;
        int got = unzReadCurrentFile(zip, text + at, want);

        if (got <= 0) return TW_EFORMAT;
        at += (size_t)got;
    }
    return TW_OK;
}

int ltw_payload_read(const char *name, char **text, size_t *n, struct tw_error *error)
{
    struct entry *e = find(name);
    unz_file_info64 info;
    unzFile zip;
    int rc;

    *text = NULL;
    if (!e) return 0;
    zip = open_zip();
    if (!zip) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    rc = damaged(error, name);
    if (unzGoToFilePos64(zip, &e->at) != UNZ_OK
        || unzGetCurrentFileInfo64(zip, &info, NULL, 0, NULL, 0, NULL, 0) != UNZ_OK
        || info.uncompressed_size > FILE_MAX_BYTES || unzOpenCurrentFile(zip) != UNZ_OK)
        goto end;
    *n = (size_t)info.uncompressed_size;
    *text = tw_calloc(1, *n + 1);
    if (!*text) rc = tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    else if (read_entry(zip, *text, *n) == TW_OK) rc = 1;
    if (unzCloseCurrentFile(zip) != UNZ_OK && rc == 1) rc = damaged(error, name);
    if (rc < 0) {
        tw_free(*text);
        *text = NULL;
    }
end:
    unzClose(zip);
    return rc;
}
