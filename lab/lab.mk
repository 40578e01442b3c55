# The library, the malloc to preload, and their tests:
#   build/host/liboct.a          lab/oct.h for any program
#   build/host/liboctmalloc.so   the same as malloc
#   build/host/lab/*             the example and the tests; lab-tsan/ and
#                                lab-asan/ have them with sanitizers
LAB_MM := $(filter-out mm/slab_kernel.c,$(wildcard $(patsubst %,mm/%*.c,\
	freemap frames magazine kheap slab)))
LAB_CORE := $(LAB_MM) lib/bitset.c lab/oct.c \
	lab/oct_frames.c $(wildcard lab/port/*.c)
LAB_MALLOC := lab/malloc.c lab/trace/recorder.c lib/tracer.c lib/trace.c
LAB_TESTS := instances memory threads fork

LAB_CFLAGS := -std=gnu11 -D_GNU_SOURCE= -O2 -g -fPIC -fvisibility=hidden \
	-ftls-model=initial-exec -pthread -I. -MMD -MP $(HOST_WARNINGS)
LAB_PORT := -Iinclude -Ilab/port/include
# The compiler must not make a call of calloc of what calloc does.
LAB_FLAGS_lab/malloc.c := -fno-builtin
LAB_tsan := -fsanitize=thread
LAB_so := -O3 -flto -flto-partition=one $(patsubst %,-fno-builtin-%,malloc calloc realloc free)
LAB_asan := -fsanitize=address,undefined -fno-sanitize-recover=all

LAB_PROGRAMS := $(HOST)/liboctmalloc.so $(HOST)/lab/malloc_test \
	$(HOST)/lab/example $(LAB_TESTS:%=$(HOST)/lab/%) $(HOST)/lab-tsan/threads \
	$(HOST)/lab-asan/instances $(HOST)/lab-asan/memory

.PHONY: lab
lab: $(LAB_PROGRAMS)
test: $(LAB_PROGRAMS)

# $(call lab_objects,SUFFIX,FLAGS): all sources compiled with these flags.
define lab_objects
$(HOST)/lab$1/%.o: %.c lab/lab.mk
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(HOST_CC) $(LAB_CFLAGS) $2 $(LAB_PORT) \
		$$(LAB_FLAGS_$$<) -c -o $$@ $$<

endef

# $(call lab_build,SUFFIX,LIBRARY,FLAGS): one build of everything. The library is
# one object of which only the names in lab/oct.h can be seen, so that it can
# stand beside any program's own.
define lab_build
$(call lab_objects,$1,$3)
$2: $(LAB_CORE:%.c=$(HOST)/lab$1/%.o) lab/oct.h
	$$(call say,AR,$$@)
	$$(Q)ld -r -o $(HOST)/lab$1/oct.o $$(filter %.o,$$^)
	$$(Q)grep -oE '\<oct_[a-z_]+\(' lab/oct.h | tr -d '(' >$$@.names
	$$(Q)objcopy --keep-global-symbols=$$@.names $(HOST)/lab$1/oct.o
	@rm -f $$@
	$$(Q)ar rcs $$@ $(HOST)/lab$1/oct.o

$(LAB_TESTS:%=$(HOST)/lab$1/%): $(HOST)/lab$1/%: $(HOST)/lab$1/tests/lab/%.o \
		$(HOST)/lab$1/tests/lab/harness.o \
		$(HOST)/lab$1/tests/lab/choices.o $2
	$$(call say,LD,$$@)
	$$(Q)$$(HOST_CC) $3 -pthread -o $$@ $$^

endef
$(eval $(call lab_build,,$(HOST)/liboct.a,))
$(eval $(call lab_build,-tsan,$(HOST)/lab-tsan/liboct.a,$(LAB_tsan)))
$(eval $(call lab_build,-asan,$(HOST)/lab-asan/liboct.a,$(LAB_asan)))

# Optimized as a whole: malloc is one function then, down to the magazines.
$(eval $(call lab_objects,-so,$(LAB_so)))
$(HOST)/liboctmalloc.so: $(patsubst %.c,$(HOST)/lab-so/%.o,$(LAB_CORE) \
		$(LAB_MALLOC))
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -shared -pthread -g -fPIC $(LAB_so) \
		-Wl,-z,defs,-z,now -o $@ $^

$(HOST)/lab/malloc_test: $(patsubst %,$(HOST)/lab/tests/lab/%.o,\
		malloc_test malloc_wrong harness)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -pthread -o $@ $^

# As anybody would: one source file, the library, nothing else.
$(HOST)/lab/example: lab/example.c lab/oct.h $(HOST)/liboct.a
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -std=gnu11 -O2 $(HOST_WARNINGS) -I. -pthread -o $@ \
		lab/example.c $(HOST)/liboct.a

include $(wildcard lab/*/*.mk)
-include $(wildcard $(HOST)/lab*/*/*.d $(HOST)/lab*/*/*/*.d)
