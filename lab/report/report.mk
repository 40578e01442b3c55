# make report: build/report.html, the pictures of all that was measured. What
# was not measured yet is; what cannot be here, for want of a tool, the report
# says in its place. The tables of the benchmarks are only made anew by hand.
EMULATOR := $(wildcard $(addsuffix /qemu-system-riscv64,$(subst :, ,$(PATH))))
.PHONY: report
report: $(if $(wildcard build/bench.tsv),,bench-quick) \
		$(if $(wildcard build/replay.tsv),,replay) \
		$(if $(EMULATOR),build/compare.tsv build/maps.tsv)
	@lab/report/report
	@echo "  it is in build/report.html"

build/compare.tsv: $(KERNELS) $(KERNELS:.elf=-buddy-slab.elf) tools/compare
	$(Q)tools/compare >/dev/null
build/maps.tsv: $(KERNELS) lab/report/maps
	$(Q)lab/report/maps >/dev/null
