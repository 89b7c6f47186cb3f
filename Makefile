# make, make run, make test: see README.  Nothing is listed by hand: every .c in
# host/ and lua/ is part of the program, every .c in tests/host, tests/fuzz and
# bench/ is a program of its own.

PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
PKGS     = lua5.4 libuv minizip zlib
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla $(if $(WERROR),-Werror)
override CFLAGS += -std=c11 -pthread -ffp-contract=off $(WARN) \
           $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) $(if $(findstring thread,$(SAN)),-Wno-tsan)
override CPPFLAGS += -D_GNU_SOURCE -Ihost -Ilua -Itests $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS   = -l:liblua5.4.a -l:libuv_a.a -l:libminizip.a -l:libz.a -ldl -lpthread -lm

B       := build$(if $(SAN),-$(subst $(,),-,$(SAN)))
HOST    := $(patsubst %.c,$B/%.o,$(wildcard host/*.c host/*/*.c))
BIND    := $(patsubst %.c,$B/%.o,$(filter-out lua/main/%,$(wildcard lua/*.c lua/*/*.c)))
PROGRAM := $(patsubst %.c,$B/%.o,$(wildcard lua/main/*.c))
CTESTS  := $(patsubst %.c,$B/%,$(wildcard tests/host/*.c))
LTESTS  := $(wildcard tests/lua/*.lua tests/stdlib/*.lua tests/e2e/*.lua)
BENCHES := $(patsubst %.c,$B/%,$(wildcard bench/*.c))

all: $B/tidewire $B/libtidewire.a

$B/tidewire: $(PROGRAM) $B/libtidewire.a
	@echo LD $@
	@$(CC) $(CFLAGS) -rdynamic -o $@ $^ $(LDLIBS)

$B/libtidewire.a: $(HOST) $(BIND)
	@rm -f $@
	@$(AR) rcs $@ $^

$(CTESTS) $(BENCHES): $B/%: $B/%.o $(HOST)
	@echo LD $@
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

test: $B/tidewire $(CTESTS)
	TIDEWIRE=$B/tidewire prove --exec tests/run $(CTESTS) $(LTESTS)

clean:
	rm -rf build build-*

-include $(shell find build* -name '*.d' 2>/dev/null)
.PHONY: all test clean
.SECONDARY:
