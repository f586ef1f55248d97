# The Python package: as it is, and the structures of the C headers, which a script makes. build/python is a directory for PYTHONPATH, too: the
# package finds the library of the same build. Where there is no Python there is no package.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
    message(STATUS "no python3: the Python package is not built")
    return()
endif()
file(GLOB PYTHON_SOURCES CONFIGURE_DEPENDS python/tessera/*.py)
file(GLOB PUBLIC_HEADERS CONFIGURE_DEPENDS include/tessera/*.h)
set(PYTHON_MADE ${CMAKE_BINARY_DIR}/python/tessera)
add_custom_command(
    OUTPUT ${PYTHON_MADE}/_structures.py
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${PYTHON_MADE}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PYTHON_MADE}
    COMMAND ${CMAKE_COMMAND} -E copy ${PYTHON_SOURCES} ${CMAKE_SOURCE_DIR}/python/tessera/py.typed ${PYTHON_MADE}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/python/structures.py ${PUBLIC_HEADERS} -o ${PYTHON_MADE}/_structures.py
    DEPENDS ${PYTHON_SOURCES} ${PUBLIC_HEADERS} python/structures.py VERBATIM)
add_custom_target(python ALL DEPENDS ${PYTHON_MADE}/_structures.py)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/python/tessera-${PROJECT_VERSION}.dist-info/METADATA CONTENT
    "Metadata-Version: 2.1\nName: tessera\nVersion: @PROJECT_VERSION@\nSummary: a trained Transformer (ONNX) becomes FPGA hardware\nRequires-Dist: numpy\n" @ONLY)

# Debian's place for packages of every version of Python, below the prefix; below /usr/local its Python looks in one with its version.
install(CODE "set(PYTHON_FROM ${CMAKE_BINARY_DIR}/python)")
install(CODE [[
    set(place lib/python3/dist-packages)
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr/local")
        execute_process(COMMAND /usr/bin/python3 -c "import sysconfig; print(sysconfig.get_path('purelib'))"
            OUTPUT_VARIABLE own OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        if(own MATCHES "^/usr/local/(.+)")
            set(place ${CMAKE_MATCH_1})
        endif()
    endif()
    file(GLOB parts ${PYTHON_FROM}/tessera ${PYTHON_FROM}/*.dist-info)
    file(INSTALL DESTINATION ${CMAKE_INSTALL_PREFIX}/${place} TYPE DIRECTORY FILES ${parts} PATTERN "__pycache__" EXCLUDE)
]])
