/* ctype_parts.h - what a state's set of C types is made of.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_CTYPE_PARTS_H
#define LTW_FFI_CTYPE_PARTS_H

#include "ctype.h"

/* No type is larger, so that a position in bits never overflows. */
#define LTW_CSIZE_MAX ((size_t)PTRDIFF_MAX / 16)

enum ltw_cbasic {
    LTW_B_NONE, LTW_B_VOID, LTW_B_BOOL, LTW_B_CHAR, LTW_B_SCHAR, LTW_B_UCHAR,
    LTW_B_SHORT, LTW_B_USHORT, LTW_B_INT, LTW_B_UINT, LTW_B_LONG, LTW_B_ULONG,
    LTW_B_LLONG, LTW_B_ULLONG, LTW_B_INT128, LTW_B_UINT128, LTW_B_FLOAT, LTW_B_DOUBLE,
    LTW_B_LDOUBLE, LTW_B_FLOAT_COMPLEX, LTW_B_DOUBLE_COMPLEX, LTW_B_LDOUBLE_COMPLEX,
    LTW_B_VA_LIST, LTW_B_FLOAT16, LTW_B_FLOAT128, LTW_B_DECIMAL32, LTW_B_DECIMAL64,
    LTW_B_DECIMAL128, LTW_B_COUNT
};

/* A declared name or tag.  A later one of the same name hides an earlier. */
struct ltw_cword {
    struct ltw_cname name;              /* of a tag: its type is name.use.type */
    bool tag;
    bool hidden;                        /* #undef: it is as if there were none */
    struct ltw_cword *chain, *before;   /* in its bucket; in order of declaration */
};

/* A type that was completed since a mark, and may become incomplete again. */
struct ltw_ccompletion { struct ltw_ctype *type; struct ltw_ccompletion *before; };

/* A field as it is declared, and, while a declarator is read, what it is made of. */
struct ltw_citem {
    struct ltw_cfield field;
    unsigned char log_align;            /* 0: its type's */
    bool packed, aligned, bit_field;
};

struct ltw_cpart {
    unsigned char kind;                 /* LTW_C_POINTER, LTW_C_ARRAY, LTW_C_FUNCTION */
    bool constant;                      /* of a pointer */
    unsigned short flags;               /* of an array or function */
    unsigned count_fields;              /* of a function: parameters */
    size_t count;                       /* of an array; a function's first parameter */
};

enum { LTW_CPARTS_MAX = 250, LTW_CWITHIN_MAX = 1000 };

struct ltw_ctypes {
    char *free, *end;                   /* of the arena's newest chunk */
    lua_Integer count_chunks;
    struct ltw_ctype *basic;            /* LTW_B_COUNT */
    struct ltw_cword **words, *newest;
    struct ltw_cword *unused;           /* of what was undone: a chain */
    unsigned word_mask, count_words;
    struct ltw_ctype **made;            /* arrays, functions and aligned ones: a hash */
    unsigned made_mask, count_made;
    struct ltw_ccompletion *completed;
    int count_unnamed;
    unsigned changes;                   /* see ltw_ctypes_changes */

    struct ltw_citem *items;            /* of the records that are being read: a stack */
    size_t count_items, cap_items;
    struct ltw_cpart *parts;            /* of the declarators that are being read */
    unsigned count_parts;
    unsigned depth;                     /* texts that are being read: finalizers' too */
    bool within;                        /* one was read within another */
};

/* [-0, +0, m]  n bytes, all 0, until the state ends. */
void *ltw_ctypes_alloc(lua_State *L, struct ltw_ctypes *s, size_t n);

/* [-0, +0, m]  n bytes until the same slot is given others; the old ones' content is
 * not copied. */
void *ltw_ctypes_slot(lua_State *L, struct ltw_ctypes *s, const void *slot, size_t n);

static inline struct ltw_ctype *ltw_cbasic(const struct ltw_ctypes *s, enum ltw_cbasic b)
{
    return &s->basic[b];
}

/* [-0, +0, m]  params: their uses; the rest is not looked at. */
struct ltw_ctype *ltw_ctype_function(lua_State *L, struct ltw_ctypes *s,
                                     struct ltw_cuse result, unsigned flags,
                                     struct ltw_cfield *params, unsigned n);

/* [-0, +0, m]  The type, but of another alignment. */
struct ltw_ctype *ltw_ctype_aligned(lua_State *L, struct ltw_ctypes *s,
                                    struct ltw_ctype *t, unsigned log_align);

/* [-0, +0, m]  A vector: opaque, of so many bytes. */
struct ltw_ctype *ltw_ctype_vector(lua_State *L, struct ltw_ctypes *s,
                                   struct ltw_ctype *of, size_t bytes);

/* [-0, +0, m]  An incomplete struct, union or enum.
 * name: NULL, or interned. */
struct ltw_ctype *ltw_ctype_new(lua_State *L, struct ltw_ctypes *s, int kind,
                                unsigned flags, const char *name);

/* [-0, +0, m]  To be called before t is completed. */
void ltw_ctype_completing(lua_State *L, struct ltw_ctypes *s, struct ltw_ctype *t);

/* Are they the same type, or two without tags that were written alike? */
bool ltw_ctype_alike(const struct ltw_ctype *a, const struct ltw_ctype *b, int depth);

/* [-0, +0, m]  Adds a name, or a tag. */
struct ltw_cname *ltw_cname_add(lua_State *L, struct ltw_ctypes *s,
                                const struct ltw_cname *name, bool tag);
struct ltw_cword *ltw_cword_find(const struct ltw_ctypes *s, const char *name, bool tag);

/* All that is declared after the mark can be undone. */
struct ltw_cmark { struct ltw_cword *newest; struct ltw_ccompletion *completed; };
struct ltw_cmark ltw_ctypes_mark(struct ltw_ctypes *s);
void ltw_ctypes_undo(struct ltw_ctypes *s, struct ltw_cmark m);

/* How a record's fields are laid out. */
struct ltw_clayout {
    bool packed;
    unsigned char log_pack;     /* of #pragma pack, plus 1; 0: none */
    unsigned char log_align;    /* at least */
};

/* [-0, +0, m]  Completes a record of n of the items.  Returns NULL, or what is wrong, of
 * which field (its number). */
const char *ltw_clayout(lua_State *L, struct ltw_ctypes *s, struct ltw_ctype *t,
                        size_t first, unsigned n, struct ltw_clayout how,
                        unsigned *which);

#endif
