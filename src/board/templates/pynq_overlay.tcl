# The overlay: the board's project, its bitstream, and what PYNQ reads, into pynq/. From the package's directory:
#     vivado -mode batch -source pynq/overlay.tcl
# pynq/<top>.bit and pynq/<top>.hwh; in the .hwh PYNQ finds: `engine` (tessera:engines:<top>, registers), `dma` (axi_dma, without scatter-gather, both
# directions), `processors`, their addresses (platform.json) and interrupts. Never run by those who made it: no Vivado was there.
source vivado/block_design.tcl
close_project
source vivado/bitstream.tcl
foreach end {bit hwh} { file copy -force vivado/out/$top.$end pynq/$top.$end }
puts "copy the package's directory to the board, and start there: python3 -c 'from engine import Engine; print(Engine().counters())', in its pynq/"
