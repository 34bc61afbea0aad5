select {{ down(1) }} as id
