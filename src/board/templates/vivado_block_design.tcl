# The board's project: processors, a DMA for hits and results, the engine, clocks, an interrupt, an address map. From the package's directory:
#     vivado -mode batch -source vivado/block_design.tcl [-tclargs scatter_gather]
#     vivado -mode batch -source vivado/bitstream.tcl
# scatter_gather: the DMA takes lists of buffers, and several events wait in it; without it, a driver starts each event.
# Commands and options: UG835, UG994 (v2022.2); blocks: PG201 (processors of Zynq UltraScale+), PG082 (of Zynq-7000), PG021 (DMA), PG065 (clocks), PG164
# (resets), PG247 (SmartConnect). Never run by those who made it: no Vivado was there. What it builds, in words: docs/boards of tessera.
source vivado/settings.tcl
set root [pwd]
set scatter_gather [expr {[info exists argv] && [lsearch -exact $argv scatter_gather] >= 0}]
if {[llength $board_parts] == 0} { error "$device has no processors: package for Vitis (a card), or use component.xml in a design of your own" }

# ---- Project, board
create_project -force $top vivado/project -part $part
set board ""
foreach candidate $board_parts {
    if {$board eq ""} { set board [lindex [get_board_parts -quiet -latest_file_version "$candidate:*"] end] }
}
if {$board eq ""} {
    error "Vivado has no files of the board [join $board_parts { or }]: install them (Tools, Vivado Store, Boards; or from the board's vendor), and start again"
}
set_property board_part $board [current_project]
if {$board_connections ne ""} { set_property board_connections $board_connections [current_project] }
set_property ip_repo_paths $root [current_project]
update_ip_catalog
create_bd_design board

# ---- Processors: a clock of 100 MHz, one port for registers, one into memory, one more for pages
set apply_preset {apply_board_preset "1"}
switch $processor {
    zynq_ultra_ps_e {
        create_bd_cell -type ip -vlnv xilinx.com:ip:zynq_ultra_ps_e processors
        apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config $apply_preset [get_bd_cells processors]
        set_property -dict [list CONFIG.PSU__USE__M_AXI_GP0 1 CONFIG.PSU__USE__M_AXI_GP1 0 CONFIG.PSU__USE__M_AXI_GP2 0 \
            CONFIG.PSU__USE__S_AXI_GP2 [expr {$takes_hits || $gives_results}] CONFIG.PSU__SAXIGP2__DATA_WIDTH 128 CONFIG.PSU__USE__IRQ0 1 CONFIG.PSU__FPGA_PL0_ENABLE 1 \
            CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100] [get_bd_cells processors]
        set ports {M_AXI_HPM0_FPD maxihpm0_fpd_aclk S_AXI_HP0_FPD saxihp0_fpd_aclk S_AXI_HP1_FPD saxihp1_fpd_aclk pl_clk0 pl_resetn0 pl_ps_irq0}
        set second_port {CONFIG.PSU__USE__S_AXI_GP3 1 CONFIG.PSU__SAXIGP3__DATA_WIDTH 128}
    }
    processing_system7 {
        create_bd_cell -type ip -vlnv xilinx.com:ip:processing_system7 processors
        apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
            -config "make_external {FIXED_IO, DDR} $apply_preset Master Disable Slave Disable" [get_bd_cells processors]
        set_property -dict [list CONFIG.PCW_USE_M_AXI_GP0 1 CONFIG.PCW_USE_S_AXI_HP0 [expr {$takes_hits || $gives_results}] CONFIG.PCW_USE_FABRIC_INTERRUPT 1 CONFIG.PCW_IRQ_F2P_INTR 1 \
            CONFIG.PCW_EN_CLK0_PORT 1 CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ 100] [get_bd_cells processors]
        set ports {M_AXI_GP0 M_AXI_GP0_ACLK S_AXI_HP0 S_AXI_HP0_ACLK S_AXI_HP1 S_AXI_HP1_ACLK FCLK_CLK0 FCLK_RESET0_N IRQ_F2P}
        set second_port {CONFIG.PCW_USE_S_AXI_HP1 1}
    }
    default { error "no block for processors called $processor" }
}
lassign $ports registers_port registers_clock memory_port memory_clock pages_port pages_clock source_clock source_reset interrupts
if {[llength $page_interfaces] > 0} { set_property -dict $second_port [get_bd_cells processors] }

# ---- Clocks and resets: of the buses, of the engine
create_bd_cell -type ip -vlnv xilinx.com:ip:clk_wiz clocks
set_property -dict [list CONFIG.PRIM_SOURCE No_buffer CONFIG.PRIM_IN_FREQ 100.000 CONFIG.USE_RESET false CONFIG.CLKOUT1_REQUESTED_OUT_FREQ $bus_mhz \
    CONFIG.CLKOUT2_USED true CONFIG.CLKOUT2_REQUESTED_OUT_FREQ $engine_mhz] [get_bd_cells clocks]
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset
connect_bd_net [get_bd_pins processors/$source_clock] [get_bd_pins clocks/clk_in1]
connect_bd_net [get_bd_pins processors/$source_reset] [get_bd_pins reset/ext_reset_in]
connect_bd_net [get_bd_pins clocks/locked] [get_bd_pins reset/dcm_locked]

# ---- The engine
create_bd_cell -type ip -vlnv tessera:engines:$top engine
if {$images ne ""} { set_property CONFIG.MEM $root/$images [get_bd_cells engine] }
connect_bd_net [get_bd_pins clocks/clk_out2] [get_bd_pins engine/engine_clk]

# ---- The DMA: an event a transfer, each way that the device has. Its length register holds the longest one; results end with TLAST.
set slaves {engine/s_axi_control}
set masters {}
set events {}
set bus_clocked [list processors/$registers_clock engine/aclk registers/aclk reset/slowest_sync_clk]
set bus_reset {engine/aresetn registers/aresetn}
if {$takes_hits || $gives_results} {
    create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma dma
    set_property -dict [list CONFIG.c_include_sg $scatter_gather CONFIG.c_sg_include_stscntrl_strm 0 CONFIG.c_sg_length_width $length_bits \
        CONFIG.c_addr_width $address_bits CONFIG.c_include_mm2s $takes_hits CONFIG.c_include_s2mm $gives_results] [get_bd_cells dma]
    lappend slaves dma/S_AXI_LITE
    lappend bus_clocked dma/s_axi_lite_aclk
    lappend bus_reset dma/axi_resetn
    if {$scatter_gather} {
        lappend masters dma/M_AXI_SG
        lappend bus_clocked dma/m_axi_sg_aclk
    }
}
if {$takes_hits} {
    set_property -dict [list CONFIG.c_m_axi_mm2s_data_width $stream_bits CONFIG.c_m_axis_mm2s_tdata_width $stream_bits \
        CONFIG.c_mm2s_burst_size 16] [get_bd_cells dma]
    connect_bd_intf_net [get_bd_intf_pins dma/M_AXIS_MM2S] [get_bd_intf_pins engine/s_axis_hits]
    lappend masters dma/M_AXI_MM2S
    lappend bus_clocked dma/m_axi_mm2s_aclk
    lappend events dma/mm2s_introut
}
if {$gives_results} {
    set_property -dict [list CONFIG.c_m_axi_s2mm_data_width $stream_bits CONFIG.c_s2mm_burst_size 16] [get_bd_cells dma]
    connect_bd_intf_net [get_bd_intf_pins engine/m_axis_results] [get_bd_intf_pins dma/S_AXIS_S2MM]
    lappend masters dma/M_AXI_S2MM
    lappend bus_clocked dma/m_axi_s2mm_aclk
    lappend events dma/s2mm_introut
}

# ---- Registers
create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect registers
set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI [llength $slaves]] [get_bd_cells registers]
connect_bd_intf_net [get_bd_intf_pins processors/$registers_port] [get_bd_intf_pins registers/S00_AXI]
set n 0
foreach slave $slaves {
    connect_bd_intf_net [get_bd_intf_pins registers/[format M%02d_AXI $n]] [get_bd_intf_pins $slave]
    incr n
}

# ---- Memory: a port for the DMA, one for pages
foreach {name inputs port clock} [list memory $masters $memory_port $memory_clock \
    pages [lmap interface $page_interfaces { string cat engine/ $interface }] $pages_port $pages_clock] {
    if {[llength $inputs] == 0} { continue }
    create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect $name
    set_property -dict [list CONFIG.NUM_SI [llength $inputs] CONFIG.NUM_MI 1] [get_bd_cells $name]
    set n 0
    foreach input $inputs {
        connect_bd_intf_net [get_bd_intf_pins $input] [get_bd_intf_pins $name/[format S%02d_AXI $n]]
        incr n
    }
    connect_bd_intf_net [get_bd_intf_pins $name/M00_AXI] [get_bd_intf_pins processors/$port]
    lappend bus_clocked $name/aclk processors/$clock
    lappend bus_reset $name/aresetn
}
foreach pin $bus_clocked { connect_bd_net [get_bd_pins clocks/clk_out1] [get_bd_pins $pin] }
foreach pin $bus_reset { connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins $pin] }

# ---- Interrupts: hits are in, results are there, the engine's
lappend events engine/interrupt
create_bd_cell -type ip -vlnv xilinx.com:ip:xlconcat interrupts
set_property CONFIG.NUM_PORTS [llength $events] [get_bd_cells interrupts]
set n 0
foreach event $events {
    connect_bd_net [get_bd_pins $event] [get_bd_pins interrupts/In$n]
    incr n
}
connect_bd_net [get_bd_pins interrupts/dout] [get_bd_pins processors/$interrupts]

# ---- Links to other devices, each with its clock, stay open: put transceivers (such as Aurora, PG074) between these ports and the board's
foreach {interface mode clock mhz up} $links {
    create_bd_intf_port -mode $mode -vlnv xilinx.com:interface:axis_rtl:1.0 $interface
    connect_bd_intf_net [get_bd_intf_ports $interface] [get_bd_intf_pins engine/$interface]
    if {[llength [get_bd_ports -quiet $clock]] == 0} {
        create_bd_port -dir I -type clk -freq_hz [expr {round($mhz * 1000000)}] $clock
        connect_bd_net [get_bd_ports $clock] [get_bd_pins engine/$clock]
        create_bd_port -dir I $up
        connect_bd_net [get_bd_ports $up] [get_bd_pins engine/$up]
    }
}

# ---- Addresses: registers where platform.json has them, memory where the processors have it
assign_bd_address -offset $control_base -range 4K -target_address_space [get_bd_addr_spaces processors/Data] [get_bd_addr_segs engine/s_axi_control/registers] -force
if {$takes_hits || $gives_results} {
    assign_bd_address -offset $dma_base -range 64K -target_address_space [get_bd_addr_spaces processors/Data] [get_bd_addr_segs dma/S_AXI_LITE/Reg] -force
}
assign_bd_address
validate_bd_design
save_bd_design

# ---- Sources of the project
set design [get_files board.bd]
set_property synth_checkpoint_mode None $design
generate_target all $design
add_files -norecurse [make_wrapper -files $design -top]
set_property top board_wrapper [current_fileset]
set crossings {}
foreach constraints {ts_async_fifo ts_sync ts_reset} { lappend crossings $root/rtl/$constraints.xdc.tcl }
lappend crossings $root/vivado/dies.tcl
add_files -fileset constrs_1 -norecurse $crossings
set_property used_in_synthesis false [get_files $crossings]
set_property PROCESSING_ORDER LATE [get_files $crossings]
puts "the project is in vivado/project; next: vivado -mode batch -source vivado/bitstream.tcl"
