# Traces: octtrace, and the shipped traces replayed on every allocator.
TRACE_SOURCES := lab/trace/octtrace lab/trace/host lib/trace lib/replay
TRACE_CFLAGS := -std=gnu11 -O2 -g -I. -Iinclude -MMD -MP $(HOST_WARNINGS)

.PHONY: replay
replay: $(HOST)/octtrace $(HOST)/liboctmalloc.so
	@lab/trace/replay.py
test: $(HOST)/octtrace

$(HOST)/trace/%.o: %.c lab/trace/trace.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOST_CC) $(TRACE_CFLAGS) -c -o $@ $<

$(HOST)/octtrace: $(TRACE_SOURCES:%=$(HOST)/trace/%.o)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) -o $@ $^

-include $(wildcard $(HOST)/trace/*/*.d $(HOST)/trace/*/*/*.d)
