/** Each service's own PostgreSQL role. Loads neither TypeORM nor the service side of this library: the launcher uses it. */
export { provisionRoles, type ProvisionedRoles } from './provision-roles.js';
export { roleUrl } from './role-url.js';
