# Stands for Vivado: every command that a package's scripts use, with the options that its guide gives it; others are errors. What it knows of blocks
# (vivado_blocks.tcl: their parameters and pins, and where those are from) it holds against the block design: ends of nets exist and fit, clocks and
# resets reach every block, interfaces meet in one clock domain, addresses are given and do not overlap. The engine is what component.xml says.
# Usage: tclsh vivado_stub.tcl SCRIPT [TCLARGS...], from the package's directory. Ends with a line "ran N commands".
set commands 0
set here [file dirname [file normalize [info script]]]

# ---- Commands: UG835 (v2022.2); those of block designs are in UG994, too; ipx:: in UG835 and UG1118; package_xo in UG1393
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
    get_property {-min 0 -quiet 0} get_timing_paths {-max_paths 1 -nworst 1 -setup 0 -hold 0}
    create_pblock {-quiet 0} get_pblocks {-quiet 0} resize_pblock {-add 1 -remove 1} add_cells_to_pblock {-quiet 0}
    create_project {-force 0 -part 1 -in_memory 0} open_project {-quiet 0} close_project {} current_project {-quiet 0} current_fileset {-quiet 0}
    set_property {-dict 1 -quiet 0} get_board_parts {-quiet 0 -latest_file_version 0} update_ip_catalog {-rebuild 0 -quiet 0}
    add_files {-norecurse 0 -fileset 1 -quiet 0} get_files {-quiet 0 -of_objects 1} make_wrapper {-files 1 -top 0 -import 0 -force 0}
    generate_target {-force 0 -quiet 0} launch_runs {-to_step 1 -jobs 1} wait_on_run {-timeout 1} get_runs {-quiet 0} open_run {-name 1}
    write_hw_platform {-fixed 0 -include_bit 0 -force 0 -file 1} update_compile_order {-fileset 1}
    create_bd_design {-quiet 0} create_bd_cell {-type 1 -vlnv 1 -reference 1} get_bd_cells {-quiet 0} get_bd_pins {-quiet 0}
    get_bd_intf_pins {-quiet 0} get_bd_intf_ports {-quiet 0} get_bd_ports {-quiet 0} get_bd_addr_spaces {-quiet 0} get_bd_addr_segs {-quiet 0}
    create_bd_port {-dir 1 -type 1 -freq_hz 1 -from 1 -to 1} create_bd_intf_port {-mode 1 -vlnv 1}
    connect_bd_net {-net 1} connect_bd_intf_net {-intf_net 1} apply_bd_automation {-rule 1 -config 1}
    assign_bd_address {-offset 1 -range 1 -target_address_space 1 -force 0} validate_bd_design {-force 0 -quiet 0} save_bd_design {}
    ipx::package_project {-root_dir 1 -vendor 1 -library 1 -taxonomy 1 -import_files 0 -set_current 1 -force 0 -generated_files 0}
    ipx::current_core {} ipx::associate_bus_interfaces {-busif 1 -clock 1 -reset 1 -remove 0} ipx::get_bus_interfaces {-of_objects 1 -quiet 0}
    ipx::add_bus_parameter {-quiet 0} ipx::get_hdl_parameters {-of_objects 1} ipx::get_user_parameters {-of_objects 1}
    ipx::infer_bus_interface {} ipx::create_xgui_files {} ipx::update_checksums {} ipx::check_integrity {-kernel 0 -quiet 0} ipx::save_core {}
    ipx::add_file {} ipx::get_file_groups {-of_objects 1 -quiet 0} ipx::add_file_group {-type 1}
    package_xo {-force 0 -xo_path 1 -kernel_name 1 -ip_directory 1 -kernel_xml 1 -ctrl_protocol 1 -kernel_files 1 -output_kernel_xml 1 -quiet 0}
}
foreach command [array names options] {
    if {[string match ipx::* $command]} { namespace eval ipx {}; namespace eval after_ipx {} }
    proc after_$command {args values} { return "" }
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
}
# The value of an option among a command's arguments, or another one.
proc option {args name {otherwise ""}} {
    set at [lsearch -exact $args $name]
    return [expr {$at < 0 ? $otherwise : [lindex $args [expr {$at + 1}]]}]
}
proc need_file {f} { if {![file readable $f]} { error "no file $f" } }
proc need_part {part} { if {![regexp {^(xc[a-z0-9]+-|xc7)} $part]} { error "no part $part" } }

# ---- Without a project
proc after_read_verilog {args values} { foreach f [lindex $values 0] { need_file $f } }
proc after_read_xdc {args values} { foreach f $values { need_file $f; uplevel #0 [list source $f] } }
proc after_synth_design {args values} {
    need_file rtl/[option $args -top].v
    need_part [option $args -part]
    if {[option $args -mode] ni {out_of_context default}} { error "no mode [option $args -mode]" }
}
proc after_create_clock {args values} { if {[option $args -period 0] <= 0} { error "no period" } }
proc after_get_ports {args values} {
    global port_names
    foreach p $values { if {![regexp "\\m$p\\M" $port_names]} { error "no port $p" } }
    return $values
}
# One instance of each module that a filter names, so that what is done with it is done.
proc after_get_cells {args values} {
    set filter [option $args -filter]
    if {$filter eq ""} { return $values }
    if {[regexp {ORIG_REF_NAME =~ (ts_[a-z_]+)} $filter all module]} { need_file rtl/$module.v; return instance_of_$module }
    if {[regexp {NAME =~ \*u_engine} $filter]} { return u_engine }
    error "get_cells: filter $filter"
}
proc after_get_pins {args values} { return $values }
proc after_get_clocks {args values} { return clock }
proc after_get_timing_paths {args values} { return path }
proc after_create_pblock {args values} { global pblocks; set pblocks([lindex $values 0]) "" }
proc after_get_pblocks {args values} {
    global pblocks
    if {![info exists pblocks($values)]} { error "no pblock $values" }
    return $values
}
proc after_resize_pblock {args values} {
    if {![regexp {^SLR[0-3](:SLR[0-3])?$} [option $args -add]]} { error "resize_pblock: range [option $args -add]" }
}
proc after_add_cells_to_pblock {args values} { if {[llength $values] != 2 || [lindex $values 1] eq ""} { error "add_cells_to_pblock: no cells" } }

# ---- Properties
array set properties {}
set known_properties {board_part board_connections ip_repo_paths synth_checkpoint_mode top used_in_synthesis PROCESSING_ORDER USER_SLR_ASSIGNMENT
    sdx_kernel sdx_kernel_type vitis_drc ipi_drc name value core_revision display_name description supported_families auto_family_support_level}
proc after_get_property {args values} {
    global properties
    lassign $values name object
    switch -glob $name {
        PERIOD { return 4.0 } SLACK { return 1.0 } PARENT - ORIG_REF_NAME { return "" } PROGRESS { return 100% } STATUS { return done }
        CONFIG.* { return $properties($object,$name) }
    }
    if {[info exists properties($object,$name)]} { return $properties($object,$name) }
    error "get_property: $name of $object"
}
proc after_set_property {args values} {
    global properties known_properties
    if {[lindex $args 0] eq "-dict"} {
        set pairs [lindex $args 1]
        set objects [lindex $values 0]
    } else {
        set pairs [lrange $values 0 1]
        set objects [lindex $values 2]
    }
    if {$objects eq ""} { error "set_property [lindex $pairs 0]: of nothing" }
    foreach {name value} $pairs {
        foreach object $objects {
            if {[string match CONFIG.* $name]} { configure $object $name $value } elseif {$name ni $known_properties} { error "no property $name" }
            set properties($object,$name) $value
        }
    }
}

# ---- Projects
array set boards {
    xilinx.com:zcu102:part0:* 3.4 xilinx.com:zcu104:part0:* 1.1 xilinx.com:kv260_som:part0:* 1.4 avnet.com:ultra96v2:part0:* 1.3
    tul.com.tw:pynq-z2:part0:* 1.0 www.digilentinc.com:pynq-z1:part0:* 1.0
}
proc after_create_project {args values} {
    lassign $values name dir
    need_part [option $args -part]
    file mkdir $dir
    close [open $dir/$name.xpr w]
}
proc after_open_project {args values} { need_file [lindex $values 0] }
proc after_current_project {args values} { return project }
proc after_current_fileset {args values} { return sources_1 }
proc after_get_board_parts {args values} {
    global boards
    set pattern [lindex $values 0]
    return [expr {[info exists boards($pattern)] ? [string map [list * $boards($pattern)] $pattern] : ""}]
}
proc after_update_ip_catalog {args values} {
    global properties engine
    set root $properties(project,ip_repo_paths)
    need_file $root/component.xml
    read_component $root/component.xml
}
set files {}
proc after_add_files {args values} { global files; foreach f [lindex $values 0] { need_file $f; lappend files $f } }
proc after_get_files {args values} {
    global files
    foreach f [lindex $values 0] { if {$f ni $files} { error "get_files: $f is not in the project" } }
    return [lindex $values 0]
}
proc after_make_wrapper {args values} {
    global files
    if {[option $args -files] ni $files} { error "make_wrapper: no such design" }
    file mkdir vivado/project/generated
    close [open vivado/project/generated/board_wrapper.v w]
    return vivado/project/generated/board_wrapper.v
}
proc after_get_runs {args values} { if {$values ni {synth_1 impl_1}} { error "no run $values" }; return $values }
proc after_launch_runs {args values} {
    if {$values ni {synth_1 impl_1}} { error "no run $values" }
    if {[option $args -to_step] eq "write_bitstream"} {
        set top [file rootname [file tail [glob vivado/project/*.xpr]]]
        foreach f [list $top.runs/impl_1/board_wrapper.bit $top.gen/sources_1/bd/board/hw_handoff/board.hwh] {
            file mkdir [file dirname vivado/project/$f]
            close [open vivado/project/$f w]
        }
    }
}

# ---- Block designs: cell(NAME) is its block, pin(PIN) and interface(PIN) what the block's table says of them, net(PIN) its net
source $here/vivado_blocks.tcl
array set cell {}
array set net {}
array set joined {}
array set address {}
set assigned_all 0
set automated 0

# Interfaces and ports of a component: its own block, as vivado_blocks.tcl has others.
proc read_component {path} {
    global blocks
    set f [open $path]
    set text [read $f]
    close $f
    regexp {<spirit:vendor>([^<]*)</spirit:vendor>\s*<spirit:library>([^<]*)</spirit:library>\s*<spirit:name>([^<]*)</spirit:name>} $text all vendor library name
    set interfaces {}
    set pins {}
    array set clock_of {}
    foreach {all body} [regexp -all -inline {<spirit:busInterface>(.*?)</spirit:busInterface>} $text] {
        regexp {<spirit:name>([^<]*)</spirit:name>} $body all interface
        regexp {<spirit:busType [^>]*spirit:name="(\w+)"} $body all type
        set mode [expr {[regexp {<spirit:master} $body] ? "Master" : "Slave"}]
        array unset p
        foreach {all key value} [regexp -all -inline {<spirit:name>(\w+)</spirit:name>\s*<spirit:value [^>]*>([^<]*)</spirit:value>} $body] { set p($key) $value }
        switch $type {
            aximm { lappend interfaces $interface [list mode $mode protocol $p(PROTOCOL) data $p(DATA_WIDTH)] }
            axis { lappend interfaces $interface [list mode $mode protocol axis data [expr {8 * $p(TDATA_NUM_BYTES)}]] }
            clock {
                lappend pins $interface {I clk}
                if {[info exists p(ASSOCIATED_BUSIF)]} { foreach b [split $p(ASSOCIATED_BUSIF) :] { set clock_of($b) $interface } }
            }
            reset { lappend pins $interface {I rst} }
            interrupt { lappend pins $interface {O intr} }
        }
    }
    foreach {all port direction} [regexp -all -inline {<spirit:port>\s*<spirit:name>(link[0-9]+_up)</spirit:name>\s*<spirit:wire>\s*<spirit:direction>(in)<} $text] {
        lappend pins $port {I data}
    }
    set with_clocks {}
    foreach {interface what} $interfaces { lappend with_clocks $interface [concat $what clock $clock_of($interface)] }
    set blocks($vendor:$library:$name) [list parameters {MEM .*/} interfaces $with_clocks pins $pins \
        segments [expr {[regexp {<spirit:addressBlock>\s*<spirit:name>([^<]*)</spirit:name>} $text all block] ? "s_axi_control/$block" : ""}]]
}

# A member of the block of a cell; conditions on parameters are resolved: NAME {... if {PARAMETER VALUE}} is there only then.
proc block {name member} {
    global cell blocks
    if {![info exists cell($name)]} { error "no cell $name" }
    array set b $blocks($cell($name))
    return $b($member)
}
proc value_of {name parameter} {
    global properties
    foreach key [list $name,CONFIG.$parameter] { if {[info exists properties($key)]} { return $properties($key) } }
    foreach {p what} [block $name parameters] { if {$p eq $parameter && [llength $what] > 1} { return [lindex $what 1] } }
    error "$name: nothing says $parameter"
}
proc members {name member} {
    set found {}
    foreach {key what} [block $name $member] {
        array unset w
        if {$member eq "pins"} { set w(if) [lindex $what 2] } else { array set w [concat {if {}} $what] }
        if {$w(if) ne "" && [value_of $name [lindex $w(if) 0]] ne [lindex $w(if) 1]} { continue }
        if {[regexp {^(.*)<(\w+)>(.*)$} $key all before count after]} { # as many as the parameter says
            for {set i 0} {$i < [value_of $name $count]} {incr i} {
                lappend found $before[format [expr {$after eq "_AXI" ? "%02d" : "%d"}] $i]$after $what
            }
        } else { lappend found $key $what }
    }
    return $found
}
proc configure {name parameter value} {
    set parameter [string range $parameter 7 end]
    foreach {p what} [block $name parameters] {
        if {$p eq $parameter} {
            if {![regexp "^([lindex $what 0])$" $value]} { error "$name: $parameter cannot be $value" }
            return
        }
    }
    error "$name: its block has no parameter $parameter"
}
proc look_up {path member} {
    lassign [split $path /] name key
    foreach {k what} [members $name $member] { if {$k eq $key} { return $what } }
    error "$name has no [string trimright $member s] $key"
}
proc after_create_bd_design {args values} { global files; lappend files [lindex $values 0].bd }
proc after_create_bd_cell {args values} {
    global cell blocks
    if {![info exists blocks([option $args -vlnv])]} { error "no block [option $args -vlnv] in the catalogue" }
    set cell([lindex $values 0]) [option $args -vlnv]
}
proc after_get_bd_cells {args values} { global cell; if {![info exists cell($values)]} { error "no cell $values" }; return $values }
proc after_get_bd_pins {args values} { look_up $values pins; return $values }
proc after_get_bd_intf_pins {args values} { look_up $values interfaces; return $values }
array set ports {}
proc after_create_bd_port {args values} { global ports; set ports([lindex $values 0]) [option $args -type]; if {[option $args -freq_hz 1] <= 0} { error "no rate" } }
proc after_create_bd_intf_port {args values} { global ports; set ports([lindex $values 0]) [option $args -mode] }
proc after_get_bd_ports {args values} { global ports; return [expr {[info exists ports($values)] ? $values : ""}] }
proc after_get_bd_intf_ports {args values} { global ports; if {![info exists ports($values)]} { error "no port $values" }; return $values }
proc after_connect_bd_net {args values} {
    global net ports
    lassign $values from to
    if {[llength $values] != 2} { error "connect_bd_net: two ends, the driver first" }
    set what [expr {[string match */* $from] ? [look_up $from pins] : [list O $ports($from)]}]
    set into [look_up $to pins]
    if {[lindex $what 0] ne "O" || [lindex $into 0] ne "I"} { error "connect_bd_net $from $to: not from an output to an input" }
    if {[info exists net($to)]} { error "$to has a driver already: $net($to)" }
    if {[lindex $into 1] ne "data" && [lindex $what 1] ne [lindex $into 1]} { error "connect_bd_net $from $to: [lindex $what 1] to [lindex $into 1]" }
    set net($to) $from
}
proc after_connect_bd_intf_net {args values} {
    global joined ports
    lassign $values a b
    foreach p $values { if {[info exists joined($p)]} { error "$p is connected already" } }
    if {![string match */* $a]} { # a port of the design is as its pin is
        array set pin [look_up $b interfaces]
        if {$pin(mode) ne $ports($a) || $pin(protocol) ne "axis"} { error "connect_bd_intf_net $a $b: the port is a $ports($a)" }
        set joined($a) $b
        set joined($b) $a
        return
    }
    array set one [look_up $a interfaces]
    array set other [look_up $b interfaces]
    if {$one(mode) eq $other(mode)} { error "connect_bd_intf_net $a $b: both are $one(mode)" }
    if {$one(protocol) ne $other(protocol) && !($one(protocol) ne "axis" && $other(protocol) ne "axis" && "any" in [list $one(protocol) $other(protocol)])} {
        error "connect_bd_intf_net $a $b: $one(protocol) and $other(protocol)"
    }
    if {$one(protocol) eq "axis"} {
        foreach {p w} [list $a $one(data) $b $other(data)] {
            set width($p) [expr {[string is integer $w] ? $w : [value_of [lindex [split $p /] 0] $w]}]
        }
        if {$width($a) != $width($b) && $width($a) && $width($b)} { error "connect_bd_intf_net $a $b: $width($a) and $width($b) bits" }
    }
    set joined($a) $b
    set joined($b) $a
}
proc after_apply_bd_automation {args values} {
    global cell automated
    set rule [option $args -rule]
    set config [option $args -config]
    if {$rule ne "xilinx.com:bd_rule:[lindex [split $cell($values) :] end]" || [llength $config] % 2} { error "apply_bd_automation: $rule $config" }
    array set c $config
    if {$c(apply_board_preset) ne "1"} { error "apply_bd_automation: no preset, so no memory" }
    if {[string match *system7 $rule] && $c(make_external) ne "FIXED_IO, DDR"} { error "apply_bd_automation: memory stays inside" }
    set automated 1
}
proc after_get_bd_addr_spaces {args values} { return $values }
proc after_get_bd_addr_segs {args values} {
    regexp {^([^/]+)/(.*)$} $values all name segment
    if {$segment ne [block $name segments]} { error "$name has no segment $segment" }
    return $values
}
proc after_assign_bd_address {args values} {
    global address assigned_all cell
    if {[llength $args] == 0} { set assigned_all 1; return }
    set space [option $args -target_address_space]
    if {$space ne "processors/Data"} { error "assign_bd_address: into $space" }
    set from [expr {[option $args -offset]}]
    if {![regexp {^([0-9]+)K$} [option $args -range] all kilobytes]} { error "assign_bd_address: range [option $args -range]" }
    set size [expr {1024 * $kilobytes}]
    set window [expr {[string match *ultra* $cell(processors)] ? "0xA0000000 0xAFFFFFFF" : "0x40000000 0x7FFFFFFF"}]
    if {$from % $size || $from < [lindex $window 0] || $from + $size - 1 > [lindex $window 1]} { error "assign_bd_address: $from is not in $window, or not aligned" }
    foreach other [array names address] {
        lassign $address($other) a n
        if {$from < $a + $n && $a < $from + $size} { error "assign_bd_address: $values lies over $other" }
    }
    set address([lindex $values 0]) [list $from $size]
}
# The net of the clock that an interface is in.
proc clock_net {path} {
    global net
    array set w [look_up $path interfaces]
    return $net([lindex [split $path /] 0]/$w(clock))
}
proc after_validate_bd_design {args values} {
    global cell net joined address assigned_all automated
    if {!$automated} { error "the processors are as they come, without a preset" }
    foreach name [array names cell] {
        foreach {pin what} [members $name pins] {
            lassign $what direction type
            if {$direction eq "I" && ![info exists net($name/$pin)]} { error "validate_bd_design: $name/$pin has no driver" }
        }
    }
    foreach name [array names cell] {
        foreach {interface what} [members $name interfaces] {
            if {![info exists joined($name/$interface)]} { error "validate_bd_design: $name/$interface is not connected" }
            set other $joined($name/$interface)
            if {[string match */* $other] && [clock_net $name/$interface] ne [clock_net $other]} {
                error "validate_bd_design: $name/$interface and $other have different clocks"
            }
            array set w $what
            if {$w(mode) eq "Slave" && [block $name segments] ne "" && [string match "$interface/*" [block $name segments]] &&
                ![info exists address($name/[block $name segments])]} { error "validate_bd_design: $name/$interface has no address" }
        }
    }
    if {!$assigned_all} { error "validate_bd_design: memory has no addresses" }
}

# ---- Packaging of kernels
set core 0
proc after_ipx::package_project {args values} {
    global core files
    foreach o {-root_dir -vendor -library -taxonomy} { if {[option $args $o] eq ""} { error "ipx::package_project: $o is missing" } }
    file mkdir [option $args -root_dir]
    close [open [option $args -root_dir]/component.xml w]
    set core 1
}
proc after_ipx::current_core {args values} { global core; if {!$core} { error "no core is open" }; return core }
proc after_ipx::get_bus_interfaces {args values} { return [lindex $values 0] }
proc after_ipx::add_bus_parameter {args values} { return [lindex $values 0] }
proc after_ipx::get_hdl_parameters {args values} { return [lindex $values 0] }
proc after_ipx::get_user_parameters {args values} { return [lindex $values 0] }
proc after_ipx::associate_bus_interfaces {args values} {
    global port_names
    if {[option $args -reset] ne ""} {
        if {![regexp "\\m[option $args -reset]\\M" $port_names]} { error "no reset [option $args -reset]" }
        return
    }
    foreach o {-busif -clock} { if {[option $args $o] eq ""} { error "ipx::associate_bus_interfaces: $o is missing" } }
    if {![regexp "\\m[option $args -busif]_\[at\]?r?valid\\M" $port_names]} { error "no interface [option $args -busif]" }
    if {![regexp "\\m[option $args -clock]\\M" $port_names]} { error "no clock [option $args -clock]" }
}
proc after_package_xo {args values} {
    foreach o {-xo_path -kernel_name -ip_directory -kernel_xml} { if {[option $args $o] eq ""} { error "package_xo: $o is missing" } }
    need_file [option $args -kernel_xml]
    need_file [option $args -ip_directory]/component.xml
    if {[option $args -ctrl_protocol user_managed] ni {user_managed ap_ctrl_hs ap_ctrl_chain ap_ctrl_none}} { error "package_xo: -ctrl_protocol" }
    close [open [option $args -xo_path] w]
}

set top [open [lindex [lsort [concat [glob -nocomplain rtl/*_kernel.v] [glob rtl/*_board.v]]] [expr {[string match *vitis* [lindex $argv 0]] ? "end" : 0}]]]
regexp {module [^;]*;} [read $top] port_names
close $top
set script [lindex $argv 0]
set argv [lrange $argv 1 end]
proc run_script {} { global argv script; source $script } ;# its variables are not this file's
run_script
puts "ran $commands commands"
