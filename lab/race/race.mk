# The races: oct's heaps beside the allocators that are installed, and its frame
# managers beside each other. Both programs are compiled as anybody's are; how
# the library is, lab.mk says.
RACE_HEAP := race heap heap_single heap_more heap_threads
RACE_FRAMES := race frames frames_range frames_single frames_runs
RACE_CFLAGS := -std=gnu11 -O2 -g -fno-builtin -pthread -I. -MMD -MP \
	-D_GNU_SOURCE $(HOST_WARNINGS)
RACES := $(HOST)/race-heap $(HOST)/race-frames

.PHONY: bench bench-quick
test: $(RACES)
bench: $(RACES) $(HOST)/liboctmalloc.so
	@lab/race/race.py
bench-quick: $(RACES) $(HOST)/liboctmalloc.so
	@lab/race/race.py --quick

$(HOST)/race/%.o: lab/race/%.c lab/race/race.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOST_CC) $(RACE_CFLAGS) -c -o $@ $<

$(HOST)/race-heap: $(RACE_HEAP:%=$(HOST)/race/%.o)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -pthread -o $@ $^

$(HOST)/race-frames: $(RACE_FRAMES:%=$(HOST)/race/%.o) $(HOST)/liboct.a
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -pthread -o $@ $^

-include $(wildcard $(HOST)/race/*.d)
