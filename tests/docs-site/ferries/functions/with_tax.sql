amount * 1.19
