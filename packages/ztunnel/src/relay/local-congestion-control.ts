/**
 * Congestion control of connections between an application and its own proxy, which never leave the machine: nothing is lost
 * there, and BBR, if the machine has chosen that, sends by timers there as well (decision 20). The kernel always has this one.
 */
export const LOCAL_CONGESTION_CONTROL = 'reno';
