-- As whom the database knows us.
select current_user::text as "login!"
