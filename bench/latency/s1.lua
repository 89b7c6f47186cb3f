--- s1: the statistic of that name, with a clock behind it.

return require "stamped" "s1"
