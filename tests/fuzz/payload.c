/* payload.c - libFuzzer: an archive with wrong bytes as the files inside a program:
 * nothing is read beside them, and every name that is listed may be written.
 *
 * Why: no fuzzer finds an archive by itself.  The input is what is wrong in a good one:
 * where it is cut, and then two bytes of a place and one of what stands there.
 */
#include "../../lua/payload.c"

#include <stdlib.h>

#include <minizip/zip.h>

static unsigned char good[4096], wrong[sizeof good];

static voidpf ZCALLBACK create_file(voidpf opaque, const void *name, int mode)
{
    (void)opaque, (void)name, (void)mode;
    return fmemopen(good, sizeof good, "w+");
}

static size_t make_good(void)
{
    static const char *const names[] = { "a.lua", "lib/b.lua", "data/c.txt" };
    zlib_filefunc64_def f;
    zipFile zip;
    size_t n = sizeof good;

    fill_fopen64_filefunc(&f);
    f.zopen64_file = create_file;
    zip = zipOpen2_64("payload", APPEND_STATUS_CREATE, NULL, &f);
    for (int i = 0; i < 3; i++) {
        zipOpenNewFileInZip64(zip, names[i], NULL, NULL, 0, NULL, 0, NULL, Z_DEFLATED, 9,
                              0);
        zipWriteInFileInZip(zip, "return 'return'", 15);
        zipCloseFileInZip(zip);
    }
    zipClose(zip, "a.lua");
    while (n > 0 && good[n - 1] == 0) n--;
    return n;
}

static void read_all(void)
{
    struct tw_error error;
    const char *name;

    for (size_t i = 0; (name = ltw_payload_name(i)); i++) {
        char *text;
        size_t n;

        if (*name == '/' || strncmp(name, "../", 3) == 0 || strstr(name, "/../")) abort();
        if (ltw_payload_read(name, &text, &n, &error) == 1 && text[n] != '\0') abort();
        tw_free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const unsigned char digest[LTW_DIGEST];
    static size_t size;
    struct tw_error error;
    size_t cut;

    if (size == 0) size = make_good();
    memcpy(wrong, good, size);
    cut = n > 0 ? data[0] % size : 0;
    for (size_t i = 1; i + 3 <= n; i += 3)
        wrong[(data[i] | data[i + 1] << 8) % size] = data[i + 2];
    ltw_payload_hold(wrong, size - cut, digest);
    if (ltw_payload_open(&error) == 1) read_all();
    else if (n == 0) abort();   /* the good one */
    for (size_t i = 0; i < payload.n_entries; i++) tw_free(payload.entries[i].name);
    tw_free(payload.entries);
    memset(&payload, 0, sizeof payload);
    return 0;
}
