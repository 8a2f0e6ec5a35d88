# cmake -DNM=<nm> -DLIST=<file with one object a line> -P no_weak_symbols.cmake
# Fails where an object defines a weak symbol (nm types W, V and u).
file(STRINGS ${LIST} objects)
list(LENGTH objects count)
if(count EQUAL 0)
  message(FATAL_ERROR "no objects are listed in ${LIST}")
endif()

set(found "")
foreach(object IN LISTS objects)
  execute_process(
    COMMAND ${NM} --defined-only -C ${object}
    OUTPUT_VARIABLE symbols
    COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WVu] [^\n]*" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    string(APPEND found "\n  ${object}: ${symbol}")
  endforeach()
endforeach()

if(found)
  message(FATAL_ERROR "weak symbols in ISA objects:${found}")
endif()
message(STATUS "${count} ISA objects, no weak symbol")
