# Stands for Vivado: every command that a package's scripts use, with the options that UG835 (v2022.2) gives it; others are errors. Usage:
# tclsh vivado_stub.tcl SCRIPT, from the package's directory. Ends with a line "ran N commands".
set commands 0
array set options {
    read_verilog {-library 1 -sv 0}
    read_xdc {-mode 1 -ref 1 -cells 1 -unmanaged 0 -quiet 0}
    synth_design {-top 1 -part 1 -mode 1 -flatten_hierarchy 1 -directive 1 -generic 1}
    opt_design {-directive 1} place_design {-directive 1} phys_opt_design {-directive 1} route_design {-directive 1}
    report_utilization {-hierarchical 0 -file 1}
    report_timing_summary {-max_paths 1 -file 1 -delay_type 1}
    report_cdc {-details 0 -file 1}
    report_methodology {-file 1}
    write_checkpoint {-force 0}
    create_clock {-name 1 -period 1 -waveform 1}
    set_false_path {-from 1 -to 1 -through 1}
    set_max_delay {-datapath_only 0 -from 1 -to 1}
    set_bus_skew {-from 1 -to 1}
    get_ports {-quiet 0} get_pins {-quiet 0 -hierarchical 0} get_cells {-quiet 0 -hierarchical 0 -filter 1} get_clocks {-of_objects 1}
    get_property {-min 0} get_timing_paths {-max_paths 1 -nworst 1 -setup 0 -hold 0}
}
foreach command [array names options] {
    proc $command args [string map [list @ $command] {
        global commands options
        incr commands
        array set takes $options(@)
        set values {}
        for {set i 0} {$i < [llength $args]} {incr i} {
            set arg [lindex $args $i]
            if {[string match -\[a-z\]* $arg]} {
                if {![info exists takes($arg)]} { error "@ has no option $arg" }
                if {$takes($arg)} { if {[incr i] >= [llength $args]} { error "@ $arg: a value is missing" } }
            } else { lappend values $arg }
        }
        return [after_@ $args $values]
    }]
    proc after_$command {args values} { return "" }
}
proc after_read_verilog {args values} { foreach f [lindex $values 0] { if {![file readable $f]} { error "no file $f" } } }
proc after_read_xdc {args values} {
    foreach f $values { if {![file readable $f]} { error "no file $f" } else { uplevel #0 [list source $f] } }
}
proc after_synth_design {args values} {
    array set given $args
    if {![file readable rtl/$given(-top).v]} { error "no module $given(-top)" }
    if {![regexp {^xc[a-z0-9]+-} $given(-part)] && ![regexp {^xc7} $given(-part)]} { error "no part $given(-part)" }
    if {$given(-mode) ni {out_of_context default}} { error "no mode $given(-mode)" }
}
proc after_create_clock {args values} { array set given [lrange $args 0 end-1]; if {$given(-period) <= 0} { error "no period" } }
proc after_get_ports {args values} {
    global port_names
    foreach p $values { if {![regexp "\\m$p\\M" $port_names]} { error "no port $p" } }
    return $values
}
proc after_get_property {args values} { return 1.0 }
proc after_get_timing_paths {args values} { return path }
set top [open [lindex [glob rtl/*_board.v] 0]]
regexp {module [^;]*;} [read $top] port_names
close $top
source [lindex $argv 0]
puts "ran $commands commands"
