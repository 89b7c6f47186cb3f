# make, make run, make test: see README.  Nothing is listed by hand: every .c in
# host/ and lua/ is part of the program, every .lua in stdlib/ is built into it,
# every .c in tests/host, tests/fuzz and bench/ is a program of its own.
# Settings: SAN=thread, SAN=address,undefined, WERROR=1, CC, CFLAGS, PREFIX, DESTDIR,
# JOBS (tests at once).
PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla $(if $(WERROR),-Werror)
override CFLAGS += -std=c11 -pthread -ffp-contract=off $(WARN) $(if $(SAN),\
  -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer \
  $(if $(findstring clang,$(CC)),,-Wno-tsan),-fno-asynchronous-unwind-tables)
override CPPFLAGS += -D_GNU_SOURCE -Ihost -Ilua -Itests -I$B \
           $(shell pkg-config --cflags lua5.4 libuv minizip zlib libzstd \
           libcrypto 2>/dev/null)
# A static library where there is one, so that the program is one file.
lib      = $(or $(firstword $(foreach a,$2,$(if $(findstring /,$(shell \
           $(CC) -print-file-name=$a)),-l:$a))),$(shell pkg-config --libs $1))
LIBUV    = $(call lib,libuv,libuv_a.a libuv.a)
LDLIBS   = $(call lib,lua5.4,liblua5.4.a) $(LIBUV) \
           $(call lib,minizip,libminizip.a) $(call lib,zlib,libz.a) \
           $(call lib,libzstd,libzstd.a) \
           $(call lib,libcrypto,libcrypto.a) -ldl -lpthread -lm

# What nothing calls is left out; C modules that Lua loads find its functions.
LEAN     = -Wl,--gc-sections -Wl,--export-dynamic-symbol=lua*

B       := build$(if $(SAN),-$(shell echo $(SAN) | tr , -))
D        = $(DESTDIR)$(PREFIX)
objects  = $(patsubst %.c,$B/%.o,$(wildcard $1))
programs = $(patsubst %.c,$B/%,$(wildcard $1))
HOST    := $(call objects,host/*.c host/*/*.c)
CTESTS  := $(call programs,tests/host/*.c)
FUZZERS := $(call programs,tests/fuzz/*.c)
BENCHES := $(call programs,bench/*.c bench/*/*.c)
TSAN    := $(if $(findstring thread,$(SAN)),$B/tests/tsan.o)
# gcc's thread sanitizer cannot start where the kernel spreads addresses widely.
STEADY   = $(and $(findstring thread,$(SAN)),$(shell setarch -R true && echo setarch -R))
CORES   := $(shell nproc 2>/dev/null || echo 2)
ifeq (,$(filter clean,$(MAKECMDGOALS)))
MAKEFLAGS += -j$(CORES)
endif

# For `tidewire build --static`: where all libraries are there for it, libc too.
STATIC   = $(if $(SAN)$(filter-out -l:% -ldl -lpthread -lm,$(LDLIBS)),,$(if \
           $(findstring /,$(shell $(CC) -print-file-name=libc.a)),$B/tidewire-static))

all: $B/tidewire $B/libtidewire.a $(STATIC)
programs: all $(CTESTS) $(BENCHES)
$B/libtidewire.a: $(HOST) $(call objects,lua/*.c)
	@rm -f $@
	@$(AR) rcs $@ $^

$B/tidewire: $(call objects,lua/main/*.c) $(TSAN) $B/libtidewire.a
$(CTESTS): $B/%: $B/%.o $(HOST)
$(BENCHES): $B/%: $B/%.o $B/libtidewire.a
$B/tidewire $(CTESTS) $(BENCHES):
	@echo LD $@
	@$(CC) $(CFLAGS) $(LEAN) -o $@ $^ $(LDLIBS)

# ld warns that libc looks for shared parts; lua/static sees to it that it does not.
$B/tidewire-static: $(call objects,lua/main/*.c lua/static/*.c) $B/libtidewire.a
	@echo LD $@
	@$(CC) $(CFLAGS) -static $(LEAN) -o $@ $^ $(LDLIBS) 2>$@.log \
	  || { cat $@.log >&2; exit 1; }

$B/%.o: %.c Makefile | build-packages
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What is built in, compressed: the Lua modules, for help the comments of the C
# functions, and the texts of licences.
TEXTS    = $(wildcard stdlib/*.lua) $B/reference.txt $B/licences.txt
$B/lua/bundle.o: $B/bundle.inc
$B/bundle.inc: stdlib $(TEXTS)
	@mkdir -p $B/bundle
	@for f in $(TEXTS); do n=$$(basename $$f); z=$B/bundle/$$n.gz; n=$${n%.*}; \
	  gzip -9nc $$f >$$z || exit; case $$f in *.lua) m=tw.$$n;; *) m=$$n;; esac; \
	  echo "BUILT_IN($$n, \"$$m\", \"$$z\", $$(wc -c <$$z), $$(wc -c <$$f))"; done > $@
$B/licences.txt: LICENSE lua/licences
	@mkdir -p $(@D)
	@lua/licences > $@
$B/reference.txt: $(wildcard lua/*.c lua/*/*.c)
	@mkdir -p $(@D)
	@awk '/^\/\*/ { on = 1 } on || /^static int [a-z_0-9]+\(lua_State/ { print } \
	  /\*\// { on = 0 }' $^ > $@

run: $B/tidewire
	$B/tidewire run scripts/market.lua --seconds 10 --watch

test: $B/tidewire $(STATIC) $(CTESTS) | test-packages
	TIDEWIRE=$B/tidewire $(STEADY) prove -j$(or $(JOBS),$(CORES)) --exec tests/run \
	  $(CTESTS) $(wildcard tests/lua/*.lua tests/stdlib/*.lua tests/e2e/*.lua)

lint: $B/tidewire | lint-packages
	clang -fsyntax-only -Wthread-safety -Werror -std=c11 $(WARN) $(CPPFLAGS) \
	  $(wildcard host/*.c host/*/*.c lua/*.c lua/*/*.c tests/*/*.c bench/*.c bench/*/*.c)
	prove --exec '$B/tidewire test' tests/lint.lua

bench: programs
	@for b in $(call programs,bench/*.c) $(wildcard bench/*/bench.sh); do \
	  echo "== $$b"; B=$B $$b || exit 1; done

$(FUZZERS): $B/%: %.c $(wildcard host/*.c host/*/*.c host/*/*.h) | fuzz-packages
	@mkdir -p $@.corpus
	clang $(CPPFLAGS) -std=c11 -pthread -g -O1 -fsanitize=fuzzer,address,undefined \
	  -o $@ $(filter %.c,$^) $(LDLIBS)
fuzz: $(FUZZERS)
	@for f in $^; do \
	  $$f -max_total_time=$(or $(SECONDS),60) -artifact_prefix=$$f- $$f.corpus || exit; done

doc: $B/tidewire
	$B/tidewire help --html > $B/manual.html

install: all
	install -d "$D/bin" "$D/lib/pkgconfig" "$D/include" "$D/share/man/man1"
	install $B/tidewire $(STATIC) "$D/bin"
	install -m 644 $B/libtidewire.a "$D/lib"
	install -m 644 host/tidewire.h "$D/include"
	$B/tidewire help --man > "$D/share/man/man1/tidewire.1"
	awk -F'"' '/define TW_VERSION/ { print "s|@VERSION@|" $$2 "|" }' host/tidewire.h \
	  | sed -f - -e 's|@PREFIX@|$(PREFIX)|; /^prefix=/s| |\\ |g; s|@LIBUV@|$(LIBUV)|' \
	    host/tidewire.pc.in \
	  > "$D/lib/pkgconfig/tidewire.pc"
uninstall:
	rm -f $(foreach f,bin/tidewire bin/tidewire-static lib/libtidewire.a \
	  lib/pkgconfig/tidewire.pc include/tidewire.h share/man/man1/tidewire.1,"$D/$f")

clean:
	rm -rf build build-*
build-packages test-packages lint-packages fuzz-packages: %-packages:
	@tests/packages $*
# One after the other: apt-get has a lock.
test-packages: build-packages
lint-packages: test-packages
fuzz-packages: lint-packages

-include $(shell find $B -name '*.d' 2>/dev/null)
.PHONY: all programs run test lint bench fuzz doc install uninstall clean
.SECONDARY .DELETE_ON_ERROR:
