# oct: `make help` lists what there is.

ARCHS := x86 riscv
ARCH ?= x86
include $(ARCHS:%=arch/%/arch.mk)
MMU ?= $(firstword $(MMUS_$(ARCH)))
ifeq ($(filter $(MMU),$(MMUS_$(ARCH))),)
$(error ARCH is one of: $(ARCHS); with ARCH=x86 MMU is one of: $(MMUS_x86); \
	with ARCH=riscv: $(MMUS_riscv))
endif

# What is behind the frames and behind kmalloc. All choices are linked.
PMMS := bitmap buddy
HEAPS := tagged slab
PMM ?= bitmap
HEAP ?= tagged
ifeq ($(filter $(PMM),$(PMMS))$(filter $(HEAP),$(HEAPS)),$(PMM)$(HEAP))
else
$(error PMM is one of: $(PMMS); HEAP is one of: $(HEAPS))
endif
# $(call choice,PMM,HEAP): what it adds to the names of files
choice = $(if $(filter bitmap-tagged,$1-$2),,-$1-$2)

MEM ?= 128M
CPUS ?= 1
CMDLINE ?=
export ARCH MMU MEM CPUS CMDLINE OPENSBI

# The ISO holds a command line: it is made anew when that has changed.
$(shell mkdir -p build)
ifneq ($(wildcard build/cmdline)$(file <build/cmdline),build/cmdline$(CMDLINE))
$(file >build/cmdline,$(CMDLINE))
endif

MMUS := $(foreach a,$(ARCHS),$(MMUS_$a))
KERNEL := build/$(MMU)/oct$(call choice,$(PMM),$(HEAP)).elf
KERNELS := $(MMUS:%=build/%/oct.elf)
CHOSEN := $(foreach m,$(MMUS),$(foreach p,$(PMMS),$(foreach h,$(HEAPS),\
	build/$m/oct$(call choice,$p,$h).elf)))
ISOS := $(MMUS_x86:%=build/%/oct.iso)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 $2)

CPPFLAGS := -Iinclude -I. -MMD -MP
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wvla -Wcast-qual -Wwrite-strings \
	-Wformat=2 -Wundef -Wframe-larger-than=2048
CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-omit-frame-pointer -fno-pic \
	-fno-stack-protector -fno-common -fno-asynchronous-unwind-tables \
	$(WARNINGS)
# Tests run in the order in which they stand in their files.
IN_ORDER := -fno-toplevel-reorder
LDFLAGS := -n --build-id=none

.PHONY: all help setup run debug iso test check compare clean kernels \
	compile_commands.json
.DELETE_ON_ERROR:
ifneq ($(filter setup,$(MAKECMDGOALS)),)
.NOTPARALLEL: # first install, then use what was installed
endif
all: $(KERNEL)
kernels: $(KERNELS)

# $(call machine,MMU,ARCH): how that kernel is built. The link is done twice,
# the second time with the table of function names that the first one yields;
# it lies behind the text, so no function moves.
PORTABLE := $(filter-out mm/choice.c,\
	$(wildcard kernel/*.c mm/*.c lib/*.c tests/kernel/*.c bench/*.c))
define machine
OBJECTS_$1 := $$(patsubst %,build/$1/%.o,$$(sort $(PORTABLE) \
	$$(wildcard arch/$2/*.c arch/$2/*.S arch/$2/*.asm)))
CC_$1 := $(CROSS_$2)gcc $(CPPFLAGS) -Iarch/$2/include $(CPPFLAGS_$1) \
	$(CFLAGS) $(CFLAGS_$2) $(CFLAGS_$1)
LD_$1 = $(CROSS_$2)ld $(LDFLAGS) $(LDFLAGS_$2) $(LDFLAGS_$1) \
	-T linker/$2.ld -o $$@ $$(filter %.o,$$^) \
	$$(shell $(CROSS_$2)gcc $(or $(LIBGCC_$1),$(CFLAGS_$2)) -print-libgcc-file-name)

build/$1/unnamed.elf: $$(OBJECTS_$1) build/$1/choice.o linker/$2.ld
	$$(Q)$$(LD_$1)
build/$1/symbols.c: build/$1/unnamed.elf tools/symbols
	$$(Q)$(CROSS_$2)nm -n $$< | tools/symbols > $$@
build/$1/symbols.o: build/$1/symbols.c
	$$(Q)$$(CC_$1) -c -o $$@ $$<
build/$1/%.c.o: %.c Makefile arch/$2/arch.mk
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$1) $$(if $$(filter tests/% bench/%,$$<),$(IN_ORDER)) -c -o $$@ $$<
build/$1/%.S.o: %.S Makefile arch/$2/arch.mk
	$$(call say,AS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$1) -c -o $$@ $$<
build/$1/%.asm.o: %.asm Makefile arch/$2/arch.mk
	$$(call say,NASM,$$@)
	@mkdir -p $$(@D)
	$$(Q)nasm $(NASMFLAGS_$2) $(CPPFLAGS_$1) -MD $$(@:.o=.d) -o $$@ $$<
-include $$(OBJECTS_$1:.o=.d)
endef

# $(call chosen,MMU,ARCH,PMM,HEAP,NAME): that kernel with that choice.
define chosen
build/$1/choice$5.o: mm/choice.c Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$1) -DPMM_CHOICE=$3_manager -DHEAP_CHOICE=$4_heap -c -o $$@ $$<
build/$1/oct$5.elf: $$(OBJECTS_$1) build/$1/choice$5.o build/$1/symbols.o \
		linker/$2.ld
	$$(call say,LD,$$@)
	$$(Q)$$(LD_$1)
endef
$(foreach a,$(ARCHS),$(foreach m,$(MMUS_$a),$(eval $(call machine,$m,$a)) \
	$(foreach p,$(PMMS),$(foreach h,$(HEAPS),\
	$(eval $(call chosen,$m,$a,$p,$h,$(call choice,$p,$h)))))))

build/%.iso: build/%.elf build/cmdline iso/grub.cfg tools/mkiso
	$(call say,ISO,$@)
	$(Q)tools/mkiso $< $@ "$(CMDLINE)"

include tests/host/host.mk
include lab/lab.mk

help:
	@tools/help

setup:
	@tools/setup

iso: $(ISOS)

# A PC boots as a PC does: from the ISO, through GRUB.
run: $(if $(filter x86,$(ARCH)),$(KERNEL:.elf=.iso),$(KERNEL))
	@$(if $(filter %.iso,$<),BOOT=iso ISO,KERNEL)=$< tools/qemu run

debug: $(KERNEL)
	@KERNEL=$< tools/qemu debug

compare: $(KERNELS) $(KERNELS:.elf=-buddy-slab.elf)
	@tools/compare

# The longest first, for two at a time.
TESTS := tests/host/mutants.t $(wildcard tests/boot/*.t tests/host/[!m]*.t)
test: $(CHOSEN) $(ISOS) $(HOST_PROGRAMS)
	@prove -j2 --timer $(TESTS)

check:
	@clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	@tools/check-includes
	@tools/check-style
	@shellcheck $$(git grep -lE '^#!/bin/(ba)?sh' -- tools tests lab .ci)

compile_commands.json: $(KERNEL)
	@tools/compile-commands > $@

clean:
	rm -rf build
