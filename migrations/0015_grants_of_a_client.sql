-- Who asks how far a client reached is told what users consented to.
create index grants_client_idx on grants (client_id, created_position);
