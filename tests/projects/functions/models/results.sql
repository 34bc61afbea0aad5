select {{ function('doubled') }}(2) as once, main.doubled2(2) as more, main.doubled3(1, 2, 3) as first
