# Host tests. For each page-table format the real mm/ and lib/ are compiled for
# this machine with sanitizers and that port's codec:
#   build/host/MMU/tests   tests of the format, tests/kernel/ included
#   build/host/formats     all five formats side by side in one program
HOST := build/host
HOST_MMUS := i386 pae sv32 sv39 sv48
HOST_CC ?= gcc
HOST_OPT ?= -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes
HOST_CFLAGS = -std=gnu11 -fno-pie $(HOST_OPT) $(HOST_WARNINGS) -MMD -MP
HOST_arch_i386 := x86
HOST_arch_pae := x86
HOST_arch_sv32 := riscv
HOST_arch_sv39 := riscv
HOST_arch_sv48 := riscv
HOST_flags_pae := -DMMU_PAE
HOST_flags_sv32 := -DMMU_SV32
HOST_flags_sv39 := -DMMU_SV39
HOST_flags_sv48 := -DMMU_SV48
HOST_PATHS = -I. -Iinclude -Itests/host/include \
	-Iarch/$(HOST_arch_$1)/include $(HOST_flags_$1) \
	-DHOST_MMU=$1 -DFORMAT_OPS=format_$1

# The kernel's own memcpy and so on get other names, so that the host's C
# library and the sanitizers keep theirs.
HOST_RENAMED := memcpy memmove memset memcmp memchr strlen strnlen strcmp \
	strncmp strchr strlcpy snprintf vsnprintf
HOST_RENAME := -fno-builtin $(foreach f,$(HOST_RENAMED),-D$f=oct_$f)

# Image symbols, which only the kernel's own map uses. frames_free is watched.
HOST_LDFLAGS := -no-pie -Wl,--wrap=frames_free \
	$(foreach s,image text rodata data,-Wl,--defsym=$s_start=0,--defsym=$s_end=0) \
	-Wl,--defsym=stack_guard=0,--defsym=stack_bottom=0,--defsym=stack_top=0

# tests/kernel/ files that need nothing of the kernel but its test harness.
HOST_KTESTS := $(shell grep -LE \
	'oct/(arch|trap)\.h|"kernel/[a-jl-z]|"kernel/kbench' \
	/dev/null $(wildcard tests/kernel/*.c) | grep -v /dev/null)
HOST_COMMON := $(patsubst %,$(HOST)/common/%.o,env child softmmu softmmu_x86 \
	softmmu_riscv model stream shrink)
HOST_FORMAT := $(filter-out mm/choice.c,$(wildcard mm/*.c lib/*.c)) \
	$(patsubst %,tests/host/%.c,machine windows faketlb format)
HOST_TESTS := $(wildcard tests/host/test_*.c) tests/host/run.c \
	tests/host/paging_fixture.c $(HOST_KTESTS)

HOST_PROGRAMS := $(HOST)/formats $(foreach m,$(HOST_MMUS),\
	$(foreach p,$(PMMS),$(foreach h,$(HEAPS),$(HOST)/$m/tests$(call choice,$p,$h))))

.PHONY: host-tests
host-tests: $(HOST_PROGRAMS)

$(HOST)/common/%.o: tests/host/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -I. -Iinclude -c -o $@ $<

define host_format
$(HOST)/$1/obj/lib/%.o: lib/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) $(HOST_RENAME) $(HOST_PATHS) -c -o $$@ $$<

$(HOST)/$1/obj/tests/kernel/%.o: tests/kernel/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) $(HOST_RENAME) $(HOST_PATHS) -c -o $$@ $$<

$(HOST)/$1/obj/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) $(HOST_PATHS) -c -o $$@ $$<

$(HOST)/$1/format.o: $(HOST_FORMAT:%.c=$(HOST)/$1/obj/%.o) $(HOST)/$1/choice.o
	$$(call say,LD,$$@)
	$$(Q)ld -r --wrap=frames_free -o $$@.all $$^
	$$(Q)objcopy --keep-global-symbol=format_$1 $$@.all $$@

endef

# $(call host_chosen,MMU,PMM,HEAP,NAME): its tests with that choice
define host_chosen
$(HOST)/$1/choice$4.o: mm/choice.c Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) $(HOST_PATHS) \
		-DPMM_CHOICE=$2_manager -DHEAP_CHOICE=$3_heap -c -o $$@ $$<
$(HOST)/$1/tests$4: $(HOST_FORMAT:%.c=$(HOST)/$1/obj/%.o) $(HOST_COMMON) \
		$(HOST_TESTS:%.c=$(HOST)/$1/obj/%.o) $(HOST)/$1/choice$4.o
	$$(call say,LD,$$@)
	$$(Q)$$(HOST_CC) $$(HOST_OPT) $(HOST_LDFLAGS) -o $$@ $$^
endef
$(foreach m,$(HOST_MMUS),$(eval $(call host_format,$m)) \
	$(foreach p,$(PMMS),$(foreach h,$(HEAPS),\
	$(eval $(call host_chosen,$m,$p,$h,$(call choice,$p,$h))))))

$(HOST)/formats: $(foreach m,$(HOST_MMUS),$(HOST)/$m/format.o) \
		$(HOST_COMMON) $(HOST)/common/formats.o
	$(call say,LD,$@)
	$(Q)$(HOST_CC) $(HOST_OPT) $(HOST_LDFLAGS) -o $@ $^

-include $(wildcard $(HOST)/common/*.d $(HOST)/*/obj/*/*.d $(HOST)/*/obj/*/*/*.d)
