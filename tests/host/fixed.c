/* fixed.c - fixed point against strtod, printf and what must be refused. */
#include "base/fixed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"

static const struct { const char *text; int64_t v; } good[] = {
    {"0", 0}, {"-0", 0}, {"-0.0", 0}, {"1", 1000000000}, {"-1.5", -1500000000},
    {"187.23", 187230000000}, {"002000.00", 2000000000000}, {".5", 500000000},
    {"5.", 5000000000}, {"0.000000001", 1}, {"-0.000000001", -1},
    {"1.0000000000000", 1000000000}, {"00000000000000000000000001", 1000000000},
    {"0.00000000000000000000", 0},
    {"9223372036.854775807", INT64_MAX}, {"-9223372036.854775807", -INT64_MAX},
    {"9223372036.85477580700", INT64_MAX}, {"9007199.254740993", 9007199254740993},
};

static const struct { const char *text; int code; } bad[] = {
    {"", TW_EFORMAT}, {"-", TW_EFORMAT}, {".", TW_EFORMAT}, {"-.", TW_EFORMAT},
    {"+1", TW_EFORMAT}, {"1e5", TW_EFORMAT}, {"1E5", TW_EFORMAT}, {"abc", TW_EFORMAT},
    {"1.2.3", TW_EFORMAT}, {"1,5", TW_EFORMAT}, {" 1", TW_EFORMAT}, {"1 ", TW_EFORMAT},
    {"--1", TW_EFORMAT}, {"1-", TW_EFORMAT}, {"0x10", TW_EFORMAT}, {"nan", TW_EFORMAT},
    {"inf", TW_EFORMAT}, {"99999999999999999999x", TW_EFORMAT},
    {"0.0000000001", TW_ERANGE}, {"1.0000000001", TW_ERANGE},
    {"9223372036.854775808", TW_ERANGE}, {"-9223372036.854775808", TW_ERANGE},
    {"9223372037", TW_ERANGE}, {"10000000000", TW_ERANGE},
    {"18446744073709551616", TW_ERANGE}, {"18446744073.709551616", TW_ERANGE},
    {"99999999999999999999999999999", TW_ERANGE},
};

static void parses(void)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = 77;
        int code = tw_fixed_parse(good[i].text, strlen(good[i].text), &v);

        ok(code == TW_OK && v == good[i].v, "'%s' is read", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 77;
        int code = tw_fixed_parse(bad[i].text, strlen(bad[i].text), &v);

        ok(code == bad[i].code && v == 77, "'%s' is refused", bad[i].text);
    }
}

/* What doubles leave in the last digits is rounded away, and no more than that. */
static void noise(void)
{
    static const struct { const char *text; int64_t v; } near[] = {
        {"0.30000000000000004", 300000000}, {"-0.30000000000000004", -300000000},
        {"0.0018179399999999999", 1817940}, {"0.0027637900000000003", 2763790},
        {"245.43415399999998", 245434154000}, {"1234.567890000001", 1234567890000},
        {"9223372036.8547758069999999", INT64_MAX},
        {"7", 7000000000}, {"0.1000000000", 100000000},
        {"1.25e-05", 12500}, {"-1E3", -1000000000000}, {"1e-9", 1},
        {"0.5e+1", 5000000000}, {".5e1", 5000000000}, {"12.e-1", 1200000000},
        {"0e99999999999999999999", 0},
        {"1.200000000000000025e-05", 12000}, {"1.003000000000000114e+02", 100300000000},
        {"3.0000000000000004e-05", 30000}, {"9.223372036854775807e9", INT64_MAX},
        {"-0.0000000000000000000000000000000000001e38", -10000000000},
        {"1234567890000000000000000000000000000000e-39", 1234567890},
    };
    static const char *const far[] = {
        "1.12345678901", "0.0000000001", "0.00000000000000004", "1.0000000001",
        "0.1234567894", "0.0000000099999999", "9223372036.854775808", "10000000000.1",
        "9223372036.8547758079999999", "1e-10", "1.2345678912e-01", "1e10",
        "1e999999999999", "-1e-999999999999", "9.223372036854775808e9",
        "2.220446049250313e-16",
        "0.000000000000000000000000000000000000001e80",
    };
    static const char *const none[] = {
        "0.3000000000000000x", "0.30000000000.0000004", "1e", "e1", ".e1",
        "1e+", "1e-x", "1.2.3e1", "1e1.5", "--1e1", "+1e1", "1e1e1", "x1e1",
        "0.0000000000000000000000000000000000000000e1",
    };

    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        int64_t v = 77;
        int code = tw_fixed_parse_near(near[i].text, strlen(near[i].text), &v);

        ok(code == TW_OK && v == near[i].v, "'%s' is read: near", near[i].text);
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        int64_t v = 77;
        int code = tw_fixed_parse_near(far[i], strlen(far[i]), &v);

        ok(code == TW_ERANGE && v == 77, "'%s' is not", far[i]);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        int64_t v = 77;
        int code = tw_fixed_parse_near(none[i], strlen(none[i]), &v);

        ok(code == TW_EFORMAT && v == 77, "'%s' is no number", none[i]);
    }
}

/* Up to eight bytes are read all at once; zeros before them make them longer. */
static void short_texts(int n)
{
    static const char some[] = "01234567899.-x/:";
    int wrong = 0, read = 0;

    for (int i = 0; i < n; i++) {
        char text[32] = "", padded[64];
        size_t length = next() % 9;
        int64_t v = 77, want = 77;
        bool minus;

        for (size_t k = 0; k < length; k++)
            text[k] = some[next() % (next() % 4 ? 11 : sizeof some - 1)];
        minus = text[0] == '-';
        snprintf(padded, sizeof padded, "%s000000000%s", minus ? "-" : "", text + minus);
        if (strpbrk(text, "0123456789")) {
            int code = tw_fixed_parse(padded, strlen(padded), &want);

            read += code == TW_OK;
            wrong += tw_fixed_parse(text, length, &v) != code || v != want;
        } else {
            wrong += tw_fixed_parse(text, length, &v) != TW_EFORMAT || v != 77;
        }
    }
    ok(wrong == 0 && read > n / 4, "%d short texts are read as longer ones (%d wrong)", n,
       wrong);
}

/* What the integers say, printed by the C library with all nine decimals. */
static void long_text(int64_t v, char out[40])
{
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    snprintf(out, 40, "%s%llu.%09llu", v < 0 ? "-" : "",
             (unsigned long long)(m / 1000000000), (unsigned long long)(m % 1000000000));
}

static void trim(char *text)
{
    size_t n = strlen(text);

    while (text[n - 1] == '0') n--;
    if (text[n - 1] == '.') n--;
    text[n] = 0;
}

/* A value of every magnitude, often close to 2^53, with few or many decimals. */
static int64_t any_value(int i)
{
    int64_t v = (int64_t)(next() >> (next() % 64));

    switch (i % 5) {
    case 0: v = (INT64_C(1) << 53) + (int64_t)(next() % 2001) - 1000; break;
    case 1: v = v / 10000000 * 10000000; break;
    case 2: v = v / TW_FIXED_ONE * TW_FIXED_ONE; break;
    case 3: v = INT64_MAX - (int64_t)(next() % 100000); break;
    default: break;
    }
    return next() & 1 ? -v : v;
}

static void round_trips(int n)
{
    int text = 0, back = 0, doubles = 0, nearest = 0;

    for (int i = 0; i < n; i++) {
        char want[40], got[TW_FIXED_TEXT];
        int64_t v = any_value(i), again = 0;
        size_t length = tw_fixed_format(v, got);
        double d;

        long_text(v, want);
        d = strtod(want, NULL);
        doubles += tw_fixed_to_double(v) != d;
        trim(want);
        text += strcmp(want, got) != 0 || length != strlen(got);
        back += tw_fixed_parse(got, length, &again) != TW_OK || again != v;
        if (v < (INT64_C(1) << 52) && v > -(INT64_C(1) << 52))
            nearest += tw_fixed_from_double(d, &again) != TW_OK || again != v;
    }
    ok(text == 0, "%d values print as the shortest text (%d wrong)", n, text);
    ok(back == 0, "the text reads back (%d wrong)", back);
    ok(doubles == 0, "the double is the one strtod gives (%d wrong)", doubles);
    ok(nearest == 0, "a double gives its value back (%d wrong)", nearest);
}

/* A double printed with all its decimals, rounded by hand: the reference. */
static int64_t slow_from_double(double d)
{
    char text[1200], *point;
    uint64_t v;

    snprintf(text, sizeof text, "%.1080f", fabs(d));
    point = strchr(text, '.');
    v = strtoull(text, NULL, 10) * 1000000000u;
    for (uint64_t i = 1, unit = 100000000; i <= 9; i++, unit /= 10)
        v += (uint64_t)(point[i] - '0') * unit;
    v += point[10] >= '5';
    return d < 0 ? -(int64_t)v : (int64_t)v;
}

static void from_doubles(int n)
{
    int64_t v = 77;
    int wrong = 0;

    for (int i = 0; i < n; i++) {
        double d = ldexp((double)(int64_t)next(), -30 - (int)(next() % 70));

        if (i % 3 == 0)   /* a tie: an odd number of 2^-10 has ten decimals */
            d = (double)(int64_t)(next() % 2000001 - 1000000) / 1024.0;
        if (tw_fixed_from_double(d, &v) != TW_OK || v != slow_from_double(d)) wrong++;
    }
    ok(wrong == 0, "%d doubles are rounded to the nearest (%d wrong)", n, wrong);

    ok(tw_fixed_from_double(0.0009765625, &v) == TW_OK && v == 976563, "half goes up");
    ok(tw_fixed_from_double(-0.0009765625, &v) == TW_OK && v == -976563,
       "half goes away from zero");
    ok(tw_fixed_from_double(5e-324, &v) == TW_OK && v == 0, "the least double is 0");
    ok(tw_fixed_from_double(-0.0, &v) == TW_OK && v == 0, "minus zero is 0");
    ok(tw_fixed_from_double(9223372036.0, &v) == TW_OK &&
       v == INT64_C(9223372036000000000),
       "a large whole number fits");
    v = 77;
    ok(tw_fixed_from_double(9223372036.854776, &v) == TW_ERANGE &&
       tw_fixed_from_double(-9223372036.854776, &v) == TW_ERANGE &&
       tw_fixed_from_double(1e300, &v) == TW_ERANGE &&
       tw_fixed_from_double(INFINITY, &v) == TW_ERANGE &&
       tw_fixed_from_double(-INFINITY, &v) == TW_ERANGE &&
       tw_fixed_from_double(NAN, &v) == TW_ERANGE && v == 77,
       "what does not fit is refused and changes nothing");
}

static void extremes(void)
{
    static const int64_t v[] = {
        INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, 0, 1, -1,
        (INT64_C(1) << 53) - 1, INT64_C(1) << 53, (INT64_C(1) << 53) + 1,
        -(INT64_C(1) << 53), -(INT64_C(1) << 53) - 1, INT64_C(10000000000000000),
    };
    char want[40], got[TW_FIXED_TEXT];

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        long_text(v[i], want);
        ok(tw_fixed_to_double(v[i]) == strtod(want, NULL), "%s as a double", want);
        trim(want);
        tw_fixed_format(v[i], got);
        ok(strcmp(want, got) == 0, "%s as text", want);
    }
}

int main(void)
{
    int n = getenv("SMALL") ? 20000 : 500000;

    parses();
    noise();
    short_texts(getenv("SMALL") ? 1000 : 200000);
    extremes();
    round_trips(n);
    from_doubles(n / 10);
    return tap_done();
}
