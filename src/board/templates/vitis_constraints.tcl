# Before opt_design of a card's link: paths between the clocks, and which die each ring is asked to be on. By its path from v++ (vitis/Makefile).
set here [file dirname [file normalize [info script]]]
foreach constraints {ts_async_fifo ts_sync ts_reset} { source $here/../rtl/$constraints.xdc.tcl }
source $here/dies.tcl
