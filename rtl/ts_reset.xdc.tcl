# Constraints of ts_reset: its asynchronous input is not timed.
foreach reset [get_cells -quiet -hierarchical -filter {ORIG_REF_NAME =~ ts_reset* || REF_NAME =~ ts_reset*}] {
    set_false_path -to [get_pins $reset/chain_reg\[*\]/PRE]
}
