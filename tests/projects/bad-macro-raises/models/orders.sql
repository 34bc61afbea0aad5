select {{ dollars() }} as amount
