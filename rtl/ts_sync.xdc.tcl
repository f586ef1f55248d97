# Constraints of ts_sync of one bit, outside of ts_async_fifo (which has its own): what enters a synchroniser's first register is not timed. ASYNC_REG, in
# the Verilog, keeps its registers side by side.
foreach sync [get_cells -quiet -hierarchical -filter {ORIG_REF_NAME =~ ts_sync* || REF_NAME =~ ts_sync*}] {
    set parent [get_property PARENT $sync]
    if {$parent ne "" && [string match ts_async_fifo* [get_property ORIG_REF_NAME [get_cells $parent]]]} {
        continue
    }
    set_false_path -to [get_pins $sync/chain_reg\[0\]/D]
}
