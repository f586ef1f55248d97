# Blocks of Vivado's catalogue as far as packages use them, for vivado_stub.tcl: parameters {NAME {PATTERN DEFAULT}}, interfaces {NAME {mode protocol data
# clock}}, pins {NAME {direction type}}. if {PARAMETER VALUE}: only there with it; <PARAMETER>: as many as it says. type data takes any driver.
array set blocks {
    xilinx.com:ip:zynq_ultra_ps_e {
        guide PG201
        parameters {
            PSU__USE__M_AXI_GP0 {[01] 1} PSU__USE__M_AXI_GP1 {[01] 1} PSU__USE__M_AXI_GP2 {[01] 0} PSU__USE__S_AXI_GP2 {[01] 0} PSU__USE__S_AXI_GP3 {[01] 0}
            PSU__SAXIGP2__DATA_WIDTH {32|64|128} PSU__SAXIGP3__DATA_WIDTH {32|64|128} PSU__USE__IRQ0 {[01] 0} PSU__FPGA_PL0_ENABLE {[01] 1}
            PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ {[0-9.]+}
        }
        interfaces {
            M_AXI_HPM0_FPD {mode Master protocol AXI4 data 128 clock maxihpm0_fpd_aclk if {PSU__USE__M_AXI_GP0 1}}
            M_AXI_HPM1_FPD {mode Master protocol AXI4 data 128 clock maxihpm1_fpd_aclk if {PSU__USE__M_AXI_GP1 1}}
            M_AXI_HPM0_LPD {mode Master protocol AXI4 data 32 clock maxihpm0_lpd_aclk if {PSU__USE__M_AXI_GP2 1}}
            S_AXI_HP0_FPD {mode Slave protocol AXI4 data 128 clock saxihp0_fpd_aclk if {PSU__USE__S_AXI_GP2 1}}
            S_AXI_HP1_FPD {mode Slave protocol AXI4 data 128 clock saxihp1_fpd_aclk if {PSU__USE__S_AXI_GP3 1}}
        }
        pins {
            maxihpm0_fpd_aclk {I clk {PSU__USE__M_AXI_GP0 1}} maxihpm1_fpd_aclk {I clk {PSU__USE__M_AXI_GP1 1}}
            maxihpm0_lpd_aclk {I clk {PSU__USE__M_AXI_GP2 1}} saxihp0_fpd_aclk {I clk {PSU__USE__S_AXI_GP2 1}}
            saxihp1_fpd_aclk {I clk {PSU__USE__S_AXI_GP3 1}} pl_clk0 {O clk {PSU__FPGA_PL0_ENABLE 1}} pl_resetn0 {O rst}
            pl_ps_irq0 {I intr {PSU__USE__IRQ0 1}}
        }
        segments {}
    }
    xilinx.com:ip:processing_system7 {
        guide PG082
        parameters {
            PCW_USE_M_AXI_GP0 {[01] 1} PCW_USE_S_AXI_HP0 {[01] 0} PCW_USE_S_AXI_HP1 {[01] 0} PCW_USE_FABRIC_INTERRUPT {[01] 0} PCW_IRQ_F2P_INTR {[01] 0}
            PCW_EN_CLK0_PORT {[01] 1} PCW_FPGA0_PERIPHERAL_FREQMHZ {[0-9.]+}
        }
        interfaces {
            M_AXI_GP0 {mode Master protocol AXI3 data 32 clock M_AXI_GP0_ACLK if {PCW_USE_M_AXI_GP0 1}}
            S_AXI_HP0 {mode Slave protocol AXI3 data 64 clock S_AXI_HP0_ACLK if {PCW_USE_S_AXI_HP0 1}}
            S_AXI_HP1 {mode Slave protocol AXI3 data 64 clock S_AXI_HP1_ACLK if {PCW_USE_S_AXI_HP1 1}}
        }
        pins {
            M_AXI_GP0_ACLK {I clk {PCW_USE_M_AXI_GP0 1}} S_AXI_HP0_ACLK {I clk {PCW_USE_S_AXI_HP0 1}} S_AXI_HP1_ACLK {I clk {PCW_USE_S_AXI_HP1 1}}
            FCLK_CLK0 {O clk {PCW_EN_CLK0_PORT 1}} FCLK_RESET0_N {O rst} IRQ_F2P {I intr {PCW_IRQ_F2P_INTR 1}}
        }
        segments {}
    }
    xilinx.com:ip:axi_dma {
        guide PG021
        parameters {
            c_include_sg {[01] 1} c_sg_include_stscntrl_strm {[01] 1} c_sg_length_width {[89]|1[0-9]|2[0-6]} c_addr_width {3[2-9]|[45][0-9]|6[0-4]}
            c_include_mm2s {[01] 1} c_include_s2mm {[01] 1} c_m_axi_mm2s_data_width {32|64|128|256|512|1024}
            c_m_axis_mm2s_tdata_width {8|16|32|64|128|256|512|1024 32} c_m_axi_s2mm_data_width {32|64|128|256|512|1024}
            c_mm2s_burst_size {2|4|8|16|32|64|128|256} c_s2mm_burst_size {2|4|8|16|32|64|128|256} follows {0 0}
        }
        interfaces {
            S_AXI_LITE {mode Slave protocol AXI4LITE data 32 clock s_axi_lite_aclk}
            M_AXI_SG {mode Master protocol AXI4 data 32 clock m_axi_sg_aclk if {c_include_sg 1}}
            M_AXI_MM2S {mode Master protocol AXI4 data 32 clock m_axi_mm2s_aclk if {c_include_mm2s 1}}
            M_AXI_S2MM {mode Master protocol AXI4 data 32 clock m_axi_s2mm_aclk if {c_include_s2mm 1}}
            M_AXIS_MM2S {mode Master protocol axis data c_m_axis_mm2s_tdata_width clock m_axi_mm2s_aclk if {c_include_mm2s 1}}
            S_AXIS_S2MM {mode Slave protocol axis data follows clock m_axi_s2mm_aclk if {c_include_s2mm 1}}
        }
        pins {
            s_axi_lite_aclk {I clk} m_axi_sg_aclk {I clk {c_include_sg 1}} m_axi_mm2s_aclk {I clk {c_include_mm2s 1}} m_axi_s2mm_aclk {I clk {c_include_s2mm 1}} axi_resetn {I rst}
            mm2s_introut {O intr {c_include_mm2s 1}} s2mm_introut {O intr {c_include_s2mm 1}}
        }
        segments S_AXI_LITE/Reg
    }
    xilinx.com:ip:smartconnect {
        guide PG247
        parameters { NUM_SI {[1-9]|1[0-6] 1} NUM_MI {[1-9]|1[0-6] 1} }
        interfaces {
            S<NUM_SI>_AXI {mode Slave protocol any data 0 clock aclk}
            M<NUM_MI>_AXI {mode Master protocol any data 0 clock aclk}
        }
        pins { aclk {I clk} aresetn {I rst} }
        segments {}
    }
    xilinx.com:ip:clk_wiz {
        guide PG065
        parameters {
            PRIM_SOURCE {No_buffer|Global_buffer|Single_ended_clock_capable_pin} PRIM_IN_FREQ {[0-9.]+} USE_RESET {true|false true}
            CLKOUT1_REQUESTED_OUT_FREQ {[0-9.]+} CLKOUT2_USED {true|false false} CLKOUT2_REQUESTED_OUT_FREQ {[0-9.]+}
        }
        interfaces {}
        pins { clk_in1 {I clk} reset {I rst {USE_RESET true}} clk_out1 {O clk} clk_out2 {O clk {CLKOUT2_USED true}} locked {O data} }
        segments {}
    }
    xilinx.com:ip:proc_sys_reset {
        guide PG164
        parameters {}
        interfaces {}
        pins { slowest_sync_clk {I clk} ext_reset_in {I rst} dcm_locked {I data} peripheral_aresetn {O rst} interconnect_aresetn {O rst} }
        segments {}
    }
    xilinx.com:ip:xlconcat {
        guide PG041
        parameters { NUM_PORTS {[1-9]|[12][0-9]|3[0-2] 2} }
        interfaces {}
        pins { In<NUM_PORTS> {I data} dout {O intr} }
        segments {}
    }
}
