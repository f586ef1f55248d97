# Out-of-context synthesis and implementation of a board's top. From the package's directory:
#     vivado -mode batch -source vivado/build.tcl
# Reports and a checkpoint go to vivado/out. Commands and options as UG835 (v2022.2) has them. Never run by those who made it: no Vivado was there.
source vivado/settings.tcl
set out vivado/out
file mkdir $out
read_verilog [glob rtl/*.v]
read_xdc -mode out_of_context vivado/clocks.xdc
# The memory images are found from the directory that Vivado is started in.
synth_design -top $top -part $part -mode out_of_context
foreach constraints {ts_async_fifo ts_sync ts_reset} { source rtl/$constraints.xdc.tcl }
source vivado/dies.tcl
report_utilization -hierarchical -file $out/utilization_synth.rpt
opt_design
place_design
phys_opt_design
route_design
report_timing_summary -max_paths 20 -file $out/timing.rpt
report_utilization -hierarchical -file $out/utilization.rpt
report_cdc -details -file $out/cdc.rpt
report_methodology -file $out/methodology.rpt
write_checkpoint -force $out/$top.dcp
set slack [get_property SLACK [get_timing_paths -max_paths 1 -nworst 1 -setup]]
puts "worst slack: $slack ns"
if {$slack < 0} { exit 1 }
