# x86: i386 two-level and PAE page tables on a PC.
MMUS_x86 := i386 pae
CROSS_x86 ?= i686-linux-gnu-
CFLAGS_x86 := -m32 -march=i686 -mgeneral-regs-only -mno-red-zone
CPPFLAGS_pae := -DMMU_PAE
LDFLAGS_x86 := -m elf_i386
NASMFLAGS_x86 := -f elf32 -g -F dwarf
