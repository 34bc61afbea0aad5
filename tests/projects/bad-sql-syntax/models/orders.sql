selct 1
