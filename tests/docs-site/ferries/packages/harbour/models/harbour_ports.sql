select 'Kiel' as port
