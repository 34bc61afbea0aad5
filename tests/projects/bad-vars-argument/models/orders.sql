select {{ var('start') }} as x
