# make, make run, make test: see README.  Nothing is listed by hand: every .c in
# host/ and lua/ is part of the program, every .lua in stdlib/ is built into it,
# every .c in tests/host, tests/fuzz and bench/ is a program of its own.
# Settings: SAN=thread, SAN=address,undefined, WERROR=1, CC, CFLAGS, PREFIX, DESTDIR,
# JOBS (tests at once).

# Before all else what is missing is installed: the rest asks what the system has.
ifeq (,$(filter clean uninstall,$(MAKECMDGOALS)))
ifneq (0,$(shell tests/packages build $(filter test lint fuzz,$(MAKECMDGOALS)) >&2; \
         echo $$?))
$(error packages are missing)
endif
endif

PREFIX  ?= /usr/local
CFLAGS  ?= $(if $(SAN),-O1 -g1,-O2 -g)
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla $(if $(WERROR),-Werror)
override CFLAGS += -std=c11 -pthread -ffp-contract=off $(WARN) $(if $(SAN),\
  -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer \
  $(if $(findstring clang,$(CC)),,-Wno-tsan),-fno-asynchronous-unwind-tables \
  -ffunction-sections -fdata-sections)
override CPPFLAGS += -D_GNU_SOURCE -Ihost -Ilua -Itests -I$B $(HEADERS)
unexport CPPFLAGS LDLIBS
HEADERS := $(shell pkg-config --cflags lua5.4 libuv minizip zlib libzstd libcrypto \
           libffi sqlite3)
# A static library where there is one, so that the program is one file.
lib      = $(or $(firstword $(foreach a,$2,$(if $(findstring /,$(shell \
           $(CC) -print-file-name=$a)),-l:$a))),$(shell pkg-config --libs $1))
LIBUV    = $(call lib,libuv,libuv_a.a libuv.a)
LDLIBS  := $(call lib,lua5.4,liblua5.4.a) $(LIBUV) \
           $(call lib,minizip,libminizip.a) $(call lib,zlib,libz.a) \
           $(call lib,libzstd,libzstd.a) $(call lib,expat,libexpat.a) \
           $(call lib,libcrypto,libcrypto.a) $(call lib,libffi,libffi.a) \
           -ldl -lpthread -lm

# What nothing calls is left out; C modules that Lua loads find its functions.  The
# thread sanitizer writes a file for constants that lie beside code.  A pointer that the
# start adjusts takes a bit, not 24 bytes, where libc can read that and ld write it.
RELR    := $(shell grep -qs DT_RELR "$$($(CC) -print-file-name=libc.so.6)" && \
           $(CC) -Wl,--help 2>&1 | grep -q pack-relative && \
           echo -Wl,-z,pack-relative-relocs)
LEAN     = -Wl,--gc-sections -Wl,--export-dynamic-symbol=lua* -Wl,-T,lua/vm.ld \
           $(if $(SAN),,-Wl,-z,noseparate-code $(RELR))
# For a libzstd that goes in.
ZSTD     = $(if $(filter %libzstd.a,$(LDLIBS)),host/tape/zstd.ld)

B       := build$(if $(SAN),-$(shell echo $(SAN) | tr , -))
D        = $(DESTDIR)$(PREFIX)
objects  = $(patsubst %.c,$B/%.o,$(wildcard $1))
programs = $(patsubst %.c,$B/%,$(wildcard $1))
HOST    := $(call objects,host/*.c host/*/*.c)
CTESTS  := $(call programs,tests/host/*.c)
PEERS   := $(patsubst %.cpp,$B/%,$(wildcard tests/peers/*.cpp))
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
$B/libtidewire.a: $(HOST) $(filter-out $B/lua/main/% $B/lua/static/%,$(call objects,\
                   lua/*.c lua/*/*.c))
	@rm -f $@
	@$(AR) rcs $@ $^

$B/tidewire: $(call objects,lua/main/*.c) $(TSAN) $B/libtidewire.a
# Linked in a third of the time, with what each of them calls.
$B/host.a: $(HOST)
	@rm -f $@
	@$(AR) rcsT $@ $^
$(CTESTS): $B/%: $B/%.o $B/host.a
$(BENCHES): $B/%: $B/%.o $B/libtidewire.a
$B/tidewire $(CTESTS) $(BENCHES): host/tape/zstd.ld lua/vm.ld
	@echo LD $@
	@$(CC) $(CFLAGS) $(LEAN) -o $@ $(ZSTD) $(filter-out %.ld,$^) $(LDLIBS)

# ld warns that libc looks for shared parts; lua/static sees to it that it does not.
$B/tidewire-static: $(call objects,lua/main/*.c lua/static/*.c) $B/libtidewire.a \
                    lua/static/static.ld lua/vm.ld
	@echo LD $@
	@$(CC) $(CFLAGS) -static $(LEAN) -Wl,-T,lua/static/static.ld -o $@ \
	  $(filter-out %.ld,$^) $(LDLIBS) 2>$@.log || { cat $@.log >&2; exit 1; }

# Small where nothing waits for it: what no record, order, hit or task passes, or only
# orders over FIX (1.5 % more instructions for one); and is not the check of a built
# program, of which each bit was changed as it is.  Of lua/, host/fix and host/run what
# is quick is named, of the others what is not.
QUICK    = $(patsubst %,lua/%.c,run/dispatch run/script tape/lrecord trade/lbars \
             trade/account_options trade/lbook trade/lorder trade/ltrade trade/trader \
             backtest/backtest backtest/journal backtest/supply backtest/worth \
             stat/lstat stat/lstat_field stat/ltracked% stat/tracker share/lcache \
             share/lcache_look share/lchannel share/lfuture share/lvalue share/lview \
             task/loop task/park task/task task/tasks reload/copy fix/lfix_message \
             payload ffi/call ffi/cdata ffi/convert main/seal main/main main/program) \
           $(patsubst %,host/fix/%.c,check depth kind market_data_in \
             market_data_levels market_data_read market_data_until message session_in \
             session_out store write) \
           $(patsubst %,host/run/%.c,bell feed_made fix_link job outbox pool pump wire \
             worker)
SLOW     = $(filter-out $(QUICK),$(wildcard lua/*.c lua/*/*.c host/fix/*.c \
             host/run/*.c)) \
           $(patsubst %,host/stat/%.c,token expr expr_text parse typing compile \
             declare load emit function digest adopt) \
           $(patsubst %,host/feed/%.c,extent lean history input trace resolution factor \
             fault) \
           $(patsubst %,host/share/%.c,simulate cache_dump cache_image array_csv caches \
             cache_invalidate cache_load cache_cycle compare draft builder channels) \
           $(patsubst %,host/trade/%.c,probe performance calendar ledger live \
             live_orders venue_auction broker_day) \
           host/tape/names.c host/tape/spans.c host/base/zone.c host/base/log.c \
           host/base/date.c
$(SLOW:%.c=$B/%.o): CFLAGS := $(CFLAGS:-O2=-Os)
# Where no loop is so short that it gains by it, none begins at a multiple of 16.
PLAIN    = $(wildcard host/share/*.c host/run/*.c host/stat/*.c host/fix/*.c \
             host/trade/*.c lua/ffi/*.c)
$(PLAIN:%.c=$B/%.o): CFLAGS += -fno-align-loops -fno-align-jumps -fno-align-labels \
                               -Wno-ignored-optimization-argument
# What each record of a backtest passes: where a function began by chance was 5 % of it.
ALIGNED  = $(patsubst %,lua/%.c,run/dispatch tape/lrecord backtest/backtest \
             backtest/supply trade/trader stat/lstat) \
           $(patsubst %,host/%.c,feed/csv feed/column feed/history feed/history_tape \
             tape/tape tape/bar trade/broker trade/simulator trade/fill stat/stat)
$(ALIGNED:%.c=$B/%.o): CFLAGS += -falign-functions=64
# The fields of messages come in no order: a jump by a table is guessed wrong more often.
$B/host/fix/check.o: CFLAGS += -fno-jump-tables

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What is built in, compressed: the Lua modules, for help the comments of the C
# functions that Lua calls and of their files, and the texts of licences.  Those whose
# names begin alike (report.lua, report_text.lua) are packed together: they have words in
# common.
TEXTS    = $(sort $(wildcard stdlib/*.lua)) $B/reference.txt $B/licences.txt
$B/lua/bundle.o: $B/bundle.inc
$B/bundle.inc: stdlib $(TEXTS) lua/bare Makefile
	@rm -rf $B/bundle/texts; mkdir -p $B/bundle/texts
	@for f in $(TEXTS); do n=$$(basename $$f); t=$B/bundle/$$n; n=$${n%.*}; \
	  case $$f in *.lua) m=tw.$$n; awk -f lua/bare $$f >$$t;; *) m=$$n; cp $$f $$t;; esac; \
	  all=$B/bundle/texts/$${n%%_*}; [ -e $$all ] || >$$all; \
	  echo "TEXT(\"$$m\", $${n%%_*}, $$(wc -c <$$all), $$(wc -c <$$t))"; \
	  cat $$t >>$$all || exit; done > $@.texts
	@for f in $B/bundle/texts/*; do gzip -9nc $$f >$$f.gz || exit; \
	  echo "PACKED($$(basename $$f), \"$$f.gz\", $$(wc -c <$$f.gz))"; done > $@.packed
	@cat $@.packed $@.texts > $@
# The versions of FIX that are built in, compressed too.
$B/host/fix/built_in.o: $B/built_in.inc
$B/built_in.inc: $(wildcard host/fix/*.txt) Makefile
	@mkdir -p $B/bundle
	@cat $(sort $(filter %.txt,$^)) | gzip -9nc > $B/bundle/fix.gz
	@{ echo "PACKED(\"$B/bundle/fix.gz\", $$(wc -c <$B/bundle/fix.gz))"; \
	  for f in $(sort $(filter %.txt,$^)); do echo "TEXT($$(wc -c <$$f))"; done; } > $@
$B/licences.txt: LICENSE lua/licences
	@mkdir -p $(@D)
	@lua/licences > $@
$B/reference.txt: $(wildcard lua/*.c lua/*/*.c)
	@mkdir -p $(@D)
	@awk 'FNR == 1 { head = "" } /^\/\*/ { on = 1; text = "" } \
	  on { text = text $$0 "\n"; if (/\*\//) { on = 0; if (!head) head = text } next } \
	  /^(static )?int [a-z_0-9]+\(lua_State/ && text ~ /Yields:/ { \
	    if (head != "-") printf "%s", head; head = "-"; print text $$0 } \
	  { text = "" }' $^ > $@

# Several apps are processes that begin together, and end when they are told to, or when
# one of them fails; the status is the highest.  Each has a shell, which tells of it; what
# the whole group is told they are told twice, which is as once.
APP      = scripts/market.lua
RUN      = --seconds 10 --watch
run: $B/tidewire
ifeq (,$(word 2,$(APP)))
	$B/tidewire run $(APP) $(RUN)
else
	@all() { r=127; while kill -0 $$1 2>&-; do wait $$1 2>&-; r=$$?; done; \
	  wait $$1 2>&-; set -- $$?; [ $$1 = 127 ] || r=$$1; }; \
	one() { trap 'told=1; kill $$q 2>&-' TERM; \
	  $B/tidewire run $$1 $(RUN) & q=$$!; [ ! "$$told" ] || kill $$q; all $$q; \
	  case $$told,$$r in 1,*|,0|,130|,143) ;; \
	  *) echo "make run: $$1 has failed (status $$r): the others are ended" >&2; \
	     kill -USR1 $$$$;; esac; exit $$r; }; \
	s=0; trap : INT; trap 'end=1; kill $$p 2>&-' TERM; trap 'bad=1; kill $$p 2>&-' USR1; \
	for a in $(APP); do one $$a & p="$$p $$!"; done; \
	[ ! "$$end$$bad" ] || kill $$p 2>&-; \
	for i in $$p; do all $$i; [ "$$bad" ] && [ $$r = 143 ] || \
	  [ $$r -le $$s ] || s=$$r; done; exit $$s
endif

# Others' engines that ours are tested against, where they are installed.
$(PEERS): $B/%: %.cpp Makefile
	@mkdir -p $(@D)
	@if pkg-config --exists quickfix; then echo CXX $<; \
	  $(CXX) -std=c++14 -Wall -Wno-deprecated -o $@ $< -lquickfix -lpthread; fi

# The longest first, so that none is alone at the end: three wait for heartbeats, half a
# minute and more, so two more run at once than there are processors.
LONGEST  = tests/e2e/fix_sessions.lua $B/tests/host/fix_acceptor tests/e2e/burgers.lua \
           $B/tests/host/fix_quickfix tests/e2e/build.lua $B/tests/host/tape_file
# With the thread sanitizer not those of one thread, which say nothing of any.
ALONE   := $(if $(TSAN),$(shell grep -LE \
  'thread|pool|uv_|worker|loop|engine|async|fork|_rig|_pair|run/' tests/host/*.c))
THREADED = $(filter-out $(ALONE:%.c=$B/%),$(CTESTS))
TESTS    = $(wildcard tests/e2e/*.lua) $(THREADED) \
           $(wildcard tests/lua/*.lua tests/stdlib/*.lua)
SUITE    = TIDEWIRE=$B/tidewire $(STEADY) prove -fo --statefile=$B/proved --exec tests/run
test: $B/tidewire $(STATIC) $(THREADED) $(PEERS)
	@rm -f $B/proved $B/reported
	$(SUITE) --state=save -j$(or $(JOBS),$(shell expr $(CORES) + 2)) \
	  $(filter $(LONGEST),$(TESTS)) $(filter-out $(LONGEST),$(TESTS))
# What failed in it, up to three files, alone; not where a sanitizer reported something.
FAILED   = $(shell prove --statefile=$B/proved --state=failed --dry)
again: $B/tidewire $(THREADED)
	@echo "failed: $(FAILED)"
	@[ ! -e $B/reported ] && case $(words $(FAILED)) in [123]) ;; *) false; esac
	$(SUITE) --state=failed
	@echo "$(FAILED)" >$B/unsteady

lint: $B/tidewire
	@echo $(wildcard host/*.c host/*/*.c lua/*.c lua/*/*.c tests/*/*.c bench/*.c \
	  bench/*/*.c) | xargs -n 50 -P $(CORES) clang -fsyntax-only -Wthread-safety -Werror \
	  -std=c11 $(WARN) $(CPPFLAGS)
	prove --exec '$B/tidewire test' tests/lint.lua

bench: programs
	@for b in $(call programs,bench/*.c) $(wildcard bench/*/bench.sh); do \
	  echo "== $$b"; B=$B $$b || exit 1; done

# The targets share objects, which are made once.
FUZZED   = $(patsubst %.c,$B/fuzz/%.o,$(wildcard $1))
FUZZ     = -fsanitize=fuzzer$1,address,undefined
$B/fuzz/host/fix/built_in.o: $B/built_in.inc
$B/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo CLANG $<
	@clang $(CPPFLAGS) -std=c11 -pthread -g -O1 $(call FUZZ,-no-link) -MMD -MP -c -o $@ $<
# Of ffi what declares.
$B/tests/fuzz/cdef: $(filter-out $(foreach f,arithmetic blocking call callback cdata \
  clib convert foreign lffi method plan,%/$f.o),$(call FUZZED,lua/ffi/*.c))
$(FUZZERS): $B/%: $B/fuzz/%.o $(call FUZZED,host/*.c host/*/*.c)
	@mkdir -p $@.corpus
	@echo LD $@
	@clang -pthread $(call FUZZ,) -o $@ $(filter %.o,$^) $(LDLIBS)
fuzz: $(FUZZERS)
	@for f in $^; do seeds=tests/data/$${f##*/}; test -d $$seeds || seeds=; \
	  $$f -max_total_time=$(or $(SECONDS),60) -artifact_prefix=$$f- $$f.corpus $$seeds \
	  || exit; done

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

-include $(shell find $B -name '*.d' 2>/dev/null)
.PHONY: all programs run test again lint bench fuzz doc install uninstall clean
.SECONDARY .DELETE_ON_ERROR:
