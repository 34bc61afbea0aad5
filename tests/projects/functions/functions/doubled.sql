number * 2
