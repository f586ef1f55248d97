# Constraints of ts_async_fifo, for Vivado: source it behind the clocks' own constraints; every instance is found by its module's name.
# A pointer and a word's bits have one period of the faster clock to cross, and a pointer's bits may not differ by more: then only one of
# them changes in what the other side samples.
# Untimed otherwise, the two clocks need no set_clock_groups, which would undo this. Names of ts_sync's registers: rtl/ts_sync.v, `chain`.
foreach fifo [get_cells -quiet -hierarchical -filter {ORIG_REF_NAME =~ ts_async_fifo* || REF_NAME =~ ts_async_fifo*}] {
    set s_period [get_property -min PERIOD [get_clocks -of_objects [get_cells $fifo/s_ready_reg]]]
    set m_period [get_property -min PERIOD [get_clocks -of_objects [get_cells $fifo/m_valid_reg]]]
    set period [expr {$s_period < $m_period ? $s_period : $m_period}]
    foreach {from to} {w_at sync_w r_at sync_r} {
        set source [get_cells $fifo/${from}_reg\[*\]]
        set first [get_cells $fifo/$to/chain_reg\[*\]]
        set_max_delay -datapath_only -from $source -to $first $period
        set_bus_skew -from $source -to $first $period
    }
    foreach {from to} {req sync_req ack sync_ack m_want sync_want} {
        set_max_delay -datapath_only -from [get_cells $fifo/${from}_reg] -to [get_cells $fifo/$to/chain_reg\[0\]] $period
    }
    # A word is written two edges of m_clk before it is read at the earliest.
    set_max_delay -datapath_only -from [get_clocks -of_objects [get_cells $fifo/s_ready_reg]] -to [get_cells $fifo/m_data_reg\[*\]] $m_period
}
