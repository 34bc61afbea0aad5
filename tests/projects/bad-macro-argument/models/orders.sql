select {{ dollars(col='amount') }} as amount
