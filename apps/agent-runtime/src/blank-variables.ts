/**
 * A blank variable is one that is not set: docker-compose.yml passes every setting, and the AI SDK throws at a blank
 * address while it is loaded. To be imported before it.
 */
for (const [name, value] of Object.entries(process.env)) if (value?.trim() === '') delete process.env[name];
