# Synthesis, implementation and bitstream of the project that vivado/block_design.tcl has made. From the package's directory:
#     vivado -mode batch -source vivado/bitstream.tcl
# Into vivado/out: <top>.bit, <top>.hwh (what PYNQ reads), <top>.xsa (what Vitis and PetaLinux read), timing and utilisation.
# Commands and options as UG835 (v2022.2) has them. Never run by those who made it: no Vivado was there.
source vivado/settings.tcl
if {[llength $links] > 0} { error "the design's links are open: join them to transceivers first (docs/boards.md of tessera), then take this line out" }
set out vivado/out
file mkdir $out
open_project vivado/project/$top.xpr
foreach {run arguments} {synth_1 {} impl_1 {-to_step write_bitstream}} {
    launch_runs $run {*}$arguments -jobs 4
    wait_on_run $run
    if {[get_property PROGRESS [get_runs $run]] ne "100%"} { error "$run failed: [get_property STATUS [get_runs $run]]" }
}
open_run impl_1
report_timing_summary -max_paths 20 -file $out/timing.rpt
report_utilization -hierarchical -file $out/utilization.rpt
report_cdc -details -file $out/cdc.rpt
set slack [get_property SLACK [get_timing_paths -max_paths 1 -nworst 1 -setup]]
puts "worst slack: $slack ns"
if {$slack < 0} { error "timing is not met: see vivado/out/timing.rpt; compile with a lower --clock, or with --objective area" }
file copy -force vivado/project/$top.runs/impl_1/board_wrapper.bit $out/$top.bit
file copy -force vivado/project/$top.gen/sources_1/bd/board/hw_handoff/board.hwh $out/$top.hwh
write_hw_platform -fixed -include_bit -force -file $out/$top.xsa
puts "bitstream, .hwh and .xsa are in vivado/out"
