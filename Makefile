# Tidemill.  GNU make, no recursion; `make help` lists the targets.  SPDX-License-Identifier: MIT
#
# What can be set, as in `make test config=asan V=1`:
#   config     release | debug | asan | tsan | scalar (release with plain kernels only)
#   V          1 shows whole commands
#   only       part of a name: `make test only=deque` runs the tests whose path holds it, and
#              `make bench only=tree` the benchmarks
#   workers    of `make bench`, ours and the peers'
#   N, seed, first   of `make soak`: how many graphs, from which seed, the first one's number
#   CC         a C11 compiler, gcc or clang (asan and tsan: gcc)
#   LUAJIT     the LuaJIT that builds and tests
#   CFLAGS, LDFLAGS   are added to the flags below
#   SETUP      no: packages that are missing are not installed
#   PREFIX, LIBDIR, DESTDIR   where `make install` puts things
config ?= release
V      ?= 0
only   ?=
workers ?= 2
N      ?= 10000
seed   ?=
first  ?= 1
LUAJIT ?= luajit
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib

export CC CXX LUAJIT

MAKEFLAGS += --no-builtin-rules -j$(shell nproc)
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# Lint compiles everything once more, with warnings as errors, into a folder of its own.
ifneq ($(filter lint,$(MAKECMDGOALS)),)
config := lint
endif

# ---- Flags ---------------------------------------------------------------------------------

FLAGS_release := -O2 -g
FLAGS_debug   := -Og -g3 -DMILL_DEBUG
FLAGS_asan    := -O1 -g -DMILL_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all \
                 -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -DMILL_NO_JIT -fsanitize=thread
FLAGS_scalar  := $(FLAGS_release) -DTIDEMILL_SCALAR
FLAGS_lint    := $(FLAGS_release) -Werror

ifeq ($(FLAGS_$(config)),)
$(error config=$(config) is none of release, debug, asan, tsan, scalar)
endif

# -fexceptions: LuaJIT unwinds through C frames.  -ffp-contract=off: the same bits everywhere.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
COMPILE   = $(CC) -std=gnu11 $(FLAGS_$(config)) $(WARNINGS) -fPIC -fexceptions -ffp-contract=off \
            -fvisibility=hidden -pthread -I. -Ihost -Ihost/include $(PKG_CFLAGS) $(CFLAGS)
LINK      = $(CC) $(filter -fsanitize=%,$(FLAGS_$(config))) -pthread -Wl,--as-needed $(LDFLAGS)

# pkg-config is asked once, by the first recipe: before `setup` has run it may not be there.
LIBRARIES  := sqlite3 libdeflate libzstd libxxhash libuv
PKG_CFLAGS  = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags luajit $(LIBRARIES)))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $$(shell pkg-config --libs $(LIBRARIES)) -ldl -lm)$(PKG_LIBS)
LUAJIT_LIBS = $(eval LUAJIT_LIBS := $$(shell pkg-config --libs luajit))$(LUAJIT_LIBS)

# ---- Sources -------------------------------------------------------------------------------

VERSION       := $(shell sed -n 's/.*TIDEMILL_VERSION "\(.*\)"/\1/p' host/include/tidemill.h)
LIB_SOURCES   := $(sort $(wildcard host/*/*.c kernels/*.c kernels/*/*.c))
BIN_SOURCES   := $(sort $(wildcard host/*.c repl/*.c))
TEST_SOURCES  := $(sort $(wildcard tests/c/test_*.c))
BENCH_SOURCES := $(sort $(wildcard tests/bench/*.c))
EMBED_SOURCES := $(sort $(wildcard examples/embed/*.c))
EMBED_CXX     := $(sort $(wildcard examples/embed/*.cpp))
OUTSIDE       := $(sort $(wildcard tests/c/embed_*.c))
# Headers of kernels that scripts declare; the others are private to kernels/.
KERNEL_HEADERS := $(filter-out %bodies.h %/csv.h %/word.h %wide.h %_plain.h %_avx2.h %_avx512.h %_neon.h, \
                  $(wildcard kernels/*.h))
EXAMPLE_TEXTS := $(sort $(foreach end,lua c cpp py,$(wildcard examples/*.$(end) examples/embed/*.$(end))))
EMBEDDED      := $(sort $(shell find lua/tidemill -name '*.lua') \
                 $(wildcard repl/*.lua repl/*/*.lua scripts/*.lua scripts/new/*.lua lua/meta/*.lua docs/*.md) \
                 $(EXAMPLE_TEXTS) \
                 $(KERNEL_HEADERS))

# One set of position-independent objects serves every product.
OBJ := build/$(config)
OUT := $(if $(filter release,$(config)),build,build/$(config))

LIB_OBJECTS := $(LIB_SOURCES:%.c=$(OBJ)/%.o) $(OBJ)/embedded.o
BIN_OBJECTS := $(BIN_SOURCES:%.c=$(OBJ)/%.o)
TESTS       := $(TEST_SOURCES:%.c=$(OBJ)/%)
OUTSIDERS   := $(OUTSIDE:%.c=$(OBJ)/%)
BENCHES     := $(BENCH_SOURCES:%.c=$(OBJ)/%)
SHARE       := $(OBJ)/share
# Without a C++ compiler the tests say so of each source.
EXAMPLES    := $(sort $(wildcard examples/*.lua examples/embed/*.lua examples/embed/*.py)) \
               $(EMBED_SOURCES:%.c=$(OBJ)/%) \
               $(if $(shell command -v $(CXX)),$(EMBED_CXX:%.cpp=$(OBJ)/%),$(EMBED_CXX))
PRODUCTS    := $(OUT)/tidemill $(OUT)/tidemill.so $(OUT)/libtidemill.a $(OUT)/libtidemill.so

# A short line for each command, or with V=1 the command itself.
ifeq ($(V),1)
say =
else
say = @printf '  %-7s %s\n' '$(1)' '$@';
endif

# ---- Everyday targets ----------------------------------------------------------------------

.PHONY: all amalgamation demo test soak crash fuzz repl examples bench bench-peers lint format reference install \
        uninstall deb check-install check-aarch64 clean setup help FORCE

all: $(PRODUCTS) ## build the binary, the Lua module and the libraries (installs what is missing)

demo: all ## build, then run the main job on its own market and show the result
	@echo
	@echo "Running the main job: $(OUT)/tidemill run day_trade"
	@$(OUT)/tidemill run day_trade

RUNS := $(TESTS) $(OUTSIDERS) $(sort $(wildcard tests/spec/*_spec.lua)) $(EXAMPLES) \
        $(sort $(wildcard README.md docs/*.md)) scripts/dev/check_install.sh scripts/dev/check_amalgamation.sh
test: all $(TESTS) $(OUTSIDERS) $(EXAMPLES) $(SHARE)/made ## build, then run every test; the last line counts them
	@$(LUAJIT) scripts/dev/test.lua $(config) $(OUT) \
	    $(if $(only),$(foreach run,$(RUNS),$(if $(findstring $(only),$(run)),$(run))),$(RUNS))

soak: all ## build, then run N random graphs on several numbers of workers against the serial lane
	@$(LUAJIT) tests/soak/soak.lua $(OUT) $(N) $(or $(seed),$$(date +%s)) $(first)

crash: all $(OBJ)/tests/c/test_manage ## kill N runs that write to a cache, and check it after each
	@$(LUAJIT) tests/soak/crash.lua $(OUT) $(OBJ)/tests/c $(N) $(or $(seed),$$(date +%s))

# With clang: libFuzzer, a minute a target; else a loop of random changes, N of them (make fuzz N=..).
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_FLAGS    = $(FLAGS_asan) -std=gnu11 -fPIC -fexceptions -pthread -I. -Ihost -Ihost/include \
                $(PKG_CFLAGS) $(CFLAGS)
fuzz: ## read random changes of values, files, exported caches, arrays, Arrow structs and programs, under AddressSanitizer; call functions with wrong arguments
	@$(MAKE) --no-print-directory config=asan all build/asan/inside.a
	@sh scripts/dev/fuzz.sh "$(FUZZ_FLAGS)" "$(FUZZ_SOURCES)" "$(PKG_LIBS) $(LUAJIT_LIBS)" \
	    $(N) $(or $(seed),$$(date +%s))
	@seed=$(or $(seed),$$(date +%s)); echo "wrong arguments: seed $$seed"; build/asan/tidemill --cache off --workers 2 \
	    tests/spec/wrong_arguments.lua $$seed $$(($(N) / 100)) lua/meta/*.lua

repl: all ## build, then start the REPL
	@$(OUT)/tidemill

examples: all $(EXAMPLES) ## build, then run each program of examples/ and check what it prints
	@$(LUAJIT) scripts/dev/test.lua $(config) $(OUT) $(EXAMPLES)

BENCH_SCRIPTS := $(sort $(wildcard tests/bench/*.lua))
bench: all $(BENCHES) build/peers/tbb_graphs ## build, run the benchmarks of tests/bench, end in one table
	@$(LUAJIT) tests/bench/lib/bench_run.lua $(OUT) $(OBJ)/tests/bench $(workers) \
	    $(if $(only),$(foreach run,$(BENCH_SCRIPTS),$(if $(findstring $(only),$(run)),$(run))),$(BENCH_SCRIPTS))

bench-peers: ## prepare what the benchmarks compare with: Dask, Ray, joblib, pandas, oneTBB
	@sh scripts/dev/bench_peers.sh

# A peer that is not installed is not built; its rows say that it is absent.
build/peers/tbb_graphs: tests/bench/peers/tbb_graphs.cpp
	@if pkg-config --exists tbb && command -v $(CXX) >/dev/null; then \
	    printf '  %-7s %s\n' CXX $@; mkdir -p $(@D); \
	    $(CXX) -O2 -std=c++17 -Wall -Wextra -pthread -o $@ $< $$(pkg-config --cflags --libs tbb); \
	fi

# ---- One file ------------------------------------------------------------------------------

amalgamation: build/amalgamation/tidemill.c ## write the engine as one C file, with its header, into build/amalgamation

LIB_HEADERS := $(wildcard host/*/*.h kernels/*.h)
build/amalgamation/tidemill.c: scripts/dev/amalgamate.lua $(LIB_SOURCES) $(LIB_HEADERS) $(OBJ)/embedded.c
	$(call say,WRITE)mkdir -p $(@D) && $(LUAJIT) scripts/dev/amalgamate.lua $@ $(VERSION) \
	    $(OBJ)/embedded.c $(LIB_SOURCES)

# ---- Care of the sources -------------------------------------------------------------------

C_FILES   := $(wildcard host/*.[ch] host/*/*.[ch] kernels/*.[ch] kernels/*/*.[ch] repl/*.[ch] \
             tests/c/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] tests/bench/peers/*.cpp \
             examples/embed/*.[ch] examples/embed/*.cpp)
LUA_FILES := $(shell find lua repl scripts tests examples -name '*.lua')

lint: $(PRODUCTS) $(TESTS) $(BENCHES) ## check format, warnings, includes, exported names, Lua files
	@sh scripts/dev/lint.sh $(OUT) "$(C_FILES)" "$(LUA_FILES)"

reference: ## write docs/reference from the stubs, the header and the tables of commands
	@$(LUAJIT) scripts/dev/reference.lua

format: ## rewrite the C files with clang-format
	clang-format -i $(C_FILES)

# Installs packages that are missing; costs a few milliseconds when none is.
setup: ## install what building and testing need
	@[ '$(SETUP)' = no ] || sh scripts/dev/setup.sh build \
	    $(filter test lint deb,$(patsubst check-install,deb,$(MAKECMDGOALS:setup=test)))

clean: ## remove all that was built
	rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

# ---- Compiling and linking -----------------------------------------------------------------

# Two files that change only when their text does: other flags compile everything again, a
# source that came or went links (and embeds) again.
define remember
@mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@
endef
$(OBJ)/flags: FORCE | setup
	$(call remember,$(COMPILE))
$(OBJ)/sources: FORCE
	$(call remember,$(LIB_SOURCES) $(BIN_SOURCES) $(EMBEDDED))
FORCE:

$(OBJ)/%.o: %.c $(OBJ)/flags | setup
	$(call say,CC)mkdir -p $(@D) && $(COMPILE) -MMD -MP -c -o $@ $<

$(OBJ)/embedded.c: scripts/dev/embed.lua scripts/dev/shell.lua $(EMBEDDED) $(OBJ)/sources | setup
	$(call say,EMBED)$(LUAJIT) scripts/dev/embed.lua $@ $(EMBEDDED)
$(OBJ)/embedded.o: $(OBJ)/embedded.c $(OBJ)/flags
	$(call say,CC)$(COMPILE) -MMD -MP -c -o $@ $<

# The binary exports tidemill_* alone: LuaJIT's FFI finds the kernels there.
$(OUT)/tidemill: $(BIN_OBJECTS) $(LIB_OBJECTS) $(OBJ)/sources
	$(call say,LINK)$(LINK) -Wl,--export-dynamic-symbol='tidemill_*' -o $@ $(filter %.o,$^) \
	    $(LUAJIT_LIBS) $(PKG_LIBS)

# The Lua module takes lua_* from the process that loads it.
$(OUT)/tidemill.so: $(LIB_OBJECTS) $(OBJ)/sources
	$(call say,LINK)$(LINK) -shared -o $@ $(filter %.o,$^) $(PKG_LIBS)

$(OUT)/libtidemill.so.0: $(LIB_OBJECTS) $(OBJ)/sources
	$(call say,LINK)$(LINK) -shared -Wl,-soname,libtidemill.so.0 -o $@ $(filter %.o,$^) \
	    $(LUAJIT_LIBS) $(PKG_LIBS)
$(OUT)/libtidemill.so: $(OUT)/libtidemill.so.0
	@ln -sf libtidemill.so.0 $@

# What goes out is one object that keeps internal names to itself (sanitizers want them all).
$(OUT)/libtidemill.a: $(LIB_OBJECTS) $(OBJ)/sources
ifeq ($(filter -fsanitize=%,$(FLAGS_$(config))),)
	$(call say,AR)$(LD) -r -o $(OBJ)/tidemill.o $(filter %.o,$^) && \
	    objcopy --localize-hidden $(OBJ)/tidemill.o && \
	    rm -f $@ && $(AR) rcs $@ $(OBJ)/tidemill.o
else
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
endif

# Tests and benchmarks reach inside: they link the objects as they are.
$(OBJ)/inside.a: $(LIB_OBJECTS) $(filter-out %/main.o,$(BIN_OBJECTS)) $(OBJ)/sources
	@rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(TESTS) $(BENCHES): $(OBJ)/%: $(OBJ)/%.o $(OBJ)/inside.a
	$(call say,LINK)$(LINK) $(WHOLE) -o $@ $^ -Wl,--no-whole-archive $(LUAJIT_LIBS) $(PKG_LIBS)

# One that runs scripts: LuaJIT's FFI finds all that is exported in it.
$(OBJ)/tests/c/test_identity $(OBJ)/tests/bench/bench_embed: WHOLE := -Wl,--export-dynamic-symbol='tidemill_*' -Wl,--whole-archive

# Somebody else's program: the shared library, and nothing of ours but its name.
$(OUTSIDERS) $(EMBED_SOURCES:%.c=$(OBJ)/%): $(OBJ)/%: $(OBJ)/%.o $(OUT)/libtidemill.so
	$(call say,LINK)$(LINK) -o $@ $< -L$(OUT) -ltidemill -Wl,-rpath,$(abspath $(OUT))

$(EMBED_CXX:%.cpp=$(OBJ)/%): $(OBJ)/%: %.cpp host/include/tidemill.h $(OUT)/libtidemill.so $(OBJ)/flags
	$(call say,CXX)mkdir -p $(@D) && $(CXX) -std=c++17 $(FLAGS_$(config)) -Wall -Wextra -Wpedantic \
	    -pthread -Ihost/include -o $@ $< -L$(OUT) -ltidemill -Wl,-rpath,$(abspath $(OUT))

-include $(patsubst %.o,%.d,$(LIB_OBJECTS) $(BIN_OBJECTS)) $(TESTS:=.d) $(BENCHES:=.d) \
    $(EMBED_SOURCES:%.c=$(OBJ)/%.d) $(OUTSIDERS:=.d)

# ---- Installing ----------------------------------------------------------------------------

# -rdynamic: the FFI looks for the kernels among the names that the program exports.
define PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR:$(PREFIX)/%=$${prefix}/%)

Name: tidemill
Description: Parallel workbench: LuaJIT scripts, C kernels, a task scheduler, a result cache
Version: $(VERSION)
Cflags: -I$${prefix}/include
Libs: -L$${libdir} -ltidemill
Libs.private: $(LUAJIT_LIBS) $(PKG_LIBS) -pthread -rdynamic
endef

# Manual pages and completions, made of what the program says of itself.
$(SHARE)/made: $(OUT)/tidemill scripts/dev/share.lua $(wildcard scripts/dev/share/*.lua) \
        docs/configuration.md host/include/tidemill.h
	$(call say,SHARE)mkdir -p $(@D) && $(LUAJIT) scripts/dev/share.lua $(OUT)/tidemill $(@D) && touch $@

INSTALL = KEEP_SYMBOLS='$(KEEP_SYMBOLS)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' DESTDIR='$(DESTDIR)' sh scripts/dev/install.sh

install: all $(SHARE)/made ## install below PREFIX (and DESTDIR): program, libraries, header, manual pages, completions, docs
	$(file >$(OBJ)/tidemill.pc,$(PKG_CONFIG_FILE))
	@$(INSTALL) install $(OUT) $(SHARE) $(OBJ)/tidemill.pc

uninstall: ## remove what install has put there, and say what it leaves
	@$(INSTALL) uninstall $(OUT) $(SHARE) $(OBJ)/tidemill.pc

deb: setup ## build Debian packages into build/deb: the program, the library, its development files, the module
	@sh scripts/dev/deb.sh build/deb

check-install: deb ## build the packages, install and run them in a fresh Debian (as root, needs a network)
	@sh scripts/dev/check_packages.sh build/deb build/chroot

check-aarch64: ## build the kernels for aarch64 and run their tests in an emulator
	@sh scripts/dev/check_aarch64.sh build/aarch64
