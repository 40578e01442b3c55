# RISC-V: Sv39 and Sv48 on 64-bit harts, Sv32 on 32-bit harts. The firmware wants
# the kernel at a multiple of a large page. The compiler finds its own library
# only by the plain names of the instruction sets.
MMUS_riscv := sv39 sv48 sv32
CROSS_riscv ?= riscv64-unknown-elf-
RV64 := -mabi=lp64 -mcmodel=medany
RV32 := -mabi=ilp32
CPPFLAGS_sv32 := -DMMU_SV32
CPPFLAGS_sv39 := -DMMU_SV39
CPPFLAGS_sv48 := -DMMU_SV48
CFLAGS_sv32 := -march=rv32imac_zicsr_zifencei $(RV32)
CFLAGS_sv39 := -march=rv64imac_zicsr_zifencei $(RV64)
CFLAGS_sv48 := $(CFLAGS_sv39)
LIBGCC_sv32 := -march=rv32imac $(RV32)
LIBGCC_sv39 := -march=rv64imac $(RV64)
LIBGCC_sv48 := $(LIBGCC_sv39)
LDFLAGS_sv32 := -m elf32lriscv --defsym=kernel_base=0x80400000
LDFLAGS_sv39 := -m elf64lriscv --defsym=kernel_base=0x80200000
LDFLAGS_sv48 := $(LDFLAGS_sv39)
