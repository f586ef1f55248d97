# The top as a kernel object, vitis/engine.xo. From the package's directory: vivado -mode batch -source vitis/package_kernel.tcl
# Commands and options: UG835, UG1118, and UG1393 (package_xo), v2022.2. Never run by those who made it: no Vivado was there.
source vitis/settings.tcl
set kernel ${top}_kernel
create_project -force kernel vitis/project -part $part
add_files -norecurse [lsort [glob rtl/*.v]]
set_property top $kernel [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir vitis/ip -vendor tessera -library engines -taxonomy /Tessera -import_files -set_current true -force
set core [ipx::current_core]
foreach interface [concat s_axi_control s_axis_hits m_axis_results $page_interfaces] {
    ipx::associate_bus_interfaces -busif $interface -clock ap_clk $core
}
ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n $core
# The images stay where they are: the package's directory must, too, until the card's binary is there.
if {$images ne ""} {
    set_property value [pwd]/$images [ipx::get_user_parameters MEM -of_objects $core]
    set_property value [pwd]/$images [ipx::get_hdl_parameters MEM -of_objects $core]
}
set_property core_revision 1 $core
set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
set_property vitis_drc {ctrl_protocol user_managed} $core
set_property ipi_drc {ignore_freq_hz true} $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
package_xo -force -xo_path vitis/engine.xo -kernel_name $kernel -ip_directory vitis/ip -kernel_xml vitis/kernel.xml -ctrl_protocol user_managed
close_project
