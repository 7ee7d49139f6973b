/** Version of ambientctl, the same for all parts of one release. */
export const version = '0.1.0';
