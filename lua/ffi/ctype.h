/* ctype.h - C types: what they are, how large, and where their fields lie.
 *
 * A type is made once: two that are the same are the same pointer, so that comparing
 * types is comparing pointers.  Qualifiers stand beside a type, not in it.  All of a
 * state's types live in its struct ltw_ctypes until the state ends, and none is changed
 * after it is complete.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_CTYPE_H
#define LTW_FFI_CTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

enum ltw_ckind {
    LTW_C_VOID,
    LTW_C_BOOL,
    LTW_C_INT,          /* char, __int128 and all between */
    LTW_C_FLOAT,        /* float, double, long double */
    LTW_C_COMPLEX,      /* `of` is that of its two parts */
    LTW_C_ENUM,         /* `of` is its integer type */
    LTW_C_POINTER,      /* to `of` */
    LTW_C_ARRAY,        /* count of `of` */
    LTW_C_RECORD,       /* struct or union */
    LTW_C_FUNCTION,     /* `of` is its result */
    LTW_C_VA_LIST,
    LTW_C_OPAQUE,       /* of known size only: a vector, _Float128 of x86-64 */
};

enum {                          /* flags */
    LTW_C_UNSIGNED = 1 << 0,
    LTW_C_PLAIN_CHAR = 1 << 1,  /* neither signed nor unsigned in writing */
    LTW_C_INCOMPLETE = 1 << 2,  /* a record, enum or array of unknown size ([]) */
    LTW_C_VLA = 1 << 3,         /* [?]: told when one is made; or a record that ends with
                                 * a flexible array, whose size is without it */
    LTW_C_UNION = 1 << 4,
    LTW_C_VARIADIC = 1 << 5,
    LTW_C_UNNAMED = 1 << 6,     /* a record or enum without a tag */
    LTW_C_FIXED = 1 << 7,       /* a record with a member that is constant, or has one */
};

/* What is read, written and passed without a look at the type. */
enum ltw_cscalar {
    LTW_SC_NOT_ASKED,    /* see ltw_cscalar_of */
    LTW_SC_NONE, LTW_SC_VOID, LTW_SC_BOOL, LTW_SC_I8, LTW_SC_U8, LTW_SC_I16, LTW_SC_U16,
    LTW_SC_I32, LTW_SC_U32, LTW_SC_I64, LTW_SC_U64, LTW_SC_POINTER,
    LTW_SC_F32, LTW_SC_F64,       /* the last ones: floating-point */
};

struct ltw_ctype;

/* A type as it is used: with its qualifiers. */
struct ltw_cuse { struct ltw_ctype *type; bool constant; };

struct ltw_cfield {
    const char *name;           /* interned; NULL: a bit-field, struct, union without */
    struct ltw_cuse use;
    size_t offset;              /* in the record, bytes; for a bit-field of its unit */
    unsigned char bits, shift;  /* of a bit-field: how many, and behind how many lower
                                 * ones of its unit; 0 bits: not a bit-field.  The unit is
                                 * of the type's size, and of more where a packed one
                                 * lies across: read by bytes, up to nine of them. */
};

struct ltw_ctype {
    unsigned char kind;
    unsigned char log_align;
    unsigned short flags;
    unsigned count_fields;      /* of a record, as declared; or a function's parameters */
    size_t size;
    struct ltw_ctype *of;
    bool of_constant;
    unsigned char scalar;       /* enum ltw_cscalar */
    unsigned short depth;       /* of arrays and records within each other: bounded */
    size_t count;               /* of an array, a complex number, a vector; of an enum: a
                                 * sum of its constants */
    const char *name;           /* a record's or enum's tag, a number's spelling */
    struct ltw_cfield *fields;  /* of a record; of a function: its parameters' uses */
    struct ltw_cmember *members;/* a hash of a record's names, unnamed members' too */
    unsigned member_mask;
    int number;                 /* of a record or enum without a tag; and see metatype */
    int metatable;              /* LUA_NOREF, or what ffi.metatype gave it last */
    void *call;                 /* a function's plan; call.c's */
    struct ltw_ctype *plain;    /* NULL, or the type that this is but for its alignment */
    struct ltw_ctype *pointer[2], *next;    /* made of it; ctype.c's */
};

/* A field as it is found by name, from the beginning of the outermost record. */
struct ltw_cmember {
    const void *key;
    const struct ltw_cfield *field;
    size_t offset;
    bool constant;              /* it, or a member without a name that it is in */
    unsigned char scalar;       /* enum ltw_cscalar; a bit-field: LTW_SC_NONE */
};

/* Can't it be assigned to as a whole? */
static inline bool ltw_cfixed(struct ltw_cuse use)
{
    while (use.type->kind == LTW_C_ARRAY && !use.constant)
        use = (struct ltw_cuse){ use.type->of, use.type->of_constant };
    return use.constant || use.type->flags & LTW_C_FIXED;
}

/* Is it of several numbers that are one value: a complex number, a vector? */
static inline bool ltw_chas_parts(const struct ltw_ctype *t)
{
    return (t->kind == LTW_C_COMPLEX || t->kind == LTW_C_OPAQUE) && t->count;
}

/* The type without an alignment of its own. */
static inline const struct ltw_ctype *ltw_cplain(const struct ltw_ctype *t)
{
    return t->plain ? t->plain : t;
}

/* What a name stands for. */
enum ltw_cname_kind { LTW_C_TYPEDEF, LTW_C_OBJECT, LTW_C_CONSTANT };

struct ltw_cname {
    const char *name;           /* interned */
    enum ltw_cname_kind kind;
    struct ltw_cuse use;        /* of a constant: its type */
    const char *symbol;         /* an object's: the name, or what __asm__ says */
    union { int64_t i; uint64_t u; double d; } value;   /* a constant's */
    const struct ltw_ctype *enumeration;   /* that a constant stands in, or NULL */
};

struct ltw_ctypes;              /* a state's types and names; ctype_parts.h */

/* [-0, +1, m]  A new set, as a userdata that must live as long as its types. */
struct ltw_ctypes *ltw_ctypes_new(lua_State *L);

/* [-0, +0, m]  The name as the set keeps it: equal texts are equal pointers. */
const char *ltw_cintern(lua_State *L, struct ltw_ctypes *s, const char *name, size_t n);

/* A type of the language: "int", "unsigned long", "double", "void", "bool" … as C spells
 * it in full words; NULL: there is none. */
struct ltw_ctype *ltw_ctype_basic(const struct ltw_ctypes *s, const char *spelling);

/* [-0, +0, m]  Types of others. */
struct ltw_ctype *ltw_ctype_pointer(lua_State *L, struct ltw_ctypes *s,
                                    struct ltw_cuse to);
struct ltw_ctype *ltw_ctype_array(lua_State *L, struct ltw_ctypes *s, struct ltw_cuse of,
                                  size_t count, unsigned flags);

/* NULL: the name is not declared.  name: interned by the set. */
const struct ltw_cname *ltw_cname_find(const struct ltw_ctypes *s, const char *name);

/* [-0, +0, m]  What the members of that name, or that the string at idx is, are found by:
 * of at most 40 bytes the address of the Lua string, which is the only one of its text.
 * name: interned. */
const void *ltw_ckey_named(lua_State *L, const char *name);
const void *ltw_ckey_at(lua_State *L, struct ltw_ctypes *s, int idx);

/* NULL: the record has no such field. */
static inline const struct ltw_cmember *ltw_cmember_find(const struct ltw_ctype *t,
                                                         const void *key)
{
    uintptr_t h = (uintptr_t)key >> 4;

    if (!t->members) return NULL;
    h ^= h >> 8;
    for (;; h++) {
        const struct ltw_cmember *m = &t->members[h & t->member_mask];

        if (m->key == key || !m->key) return m->key ? m : NULL;
    }
}

enum ltw_cscalar ltw_cscalar_find(struct ltw_ctype *t);

static inline enum ltw_cscalar ltw_cscalar_of(struct ltw_ctype *t)
{
    return t->scalar ? (enum ltw_cscalar)t->scalar : ltw_cscalar_find(t);
}

/* How often a name has been taken back (#undef): texts may mean something else since. */
unsigned ltw_ctypes_changes(const struct ltw_ctypes *s);

/* [-0, +1, m]  The type as C writes it: "const char *", "int (*)(int)". */
void ltw_ctype_push_name(lua_State *L, struct ltw_cuse use);

#endif
