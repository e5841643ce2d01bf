// Where the entry `millrace/redis` lay in 0.1.0: programs that import it from a checkout by its path still find it here.
export * from '../redis.js'
